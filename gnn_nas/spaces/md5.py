"""MD5 (RFC 1321) compiled, for millions of short messages."""

import math

import numba
import numpy as np

_SINES = np.array([int(abs(math.sin(i + 1)) * 2**32) for i in range(64)], dtype=np.uint32)
_SHIFTS = np.repeat(
    np.array([[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]], dtype=np.uint32),
    4,
    axis=0,
).ravel()
_WORDS = np.array(
    [
        (factor * i + offset) % 16
        for factor, offset in ((1, 0), (5, 1), (3, 5), (7, 0))
        for i in range(16)
    ]
)


@numba.njit(cache=True, inline="always")
def _rotated_step(mixed, a, b, step, word):
    total = np.uint32(a + mixed + _SINES[step] + word)
    shift = _SHIFTS[step]
    return np.uint32(b + np.uint32((total << shift) | (total >> np.uint32(32 - shift))))


@numba.njit(cache=True)
def md5(words, length):
    """Digest of a message, as two 64-bit numbers that sort like its hex string.

    Args:
        words: uint32 buffer whose bytes start with the message and have room for the padding
            (a multiple of 16 words, at least ``length + 9`` bytes); it is overwritten.
        length: bytes of the message.
    """
    message = words.view(np.uint8)
    blocks = (length + 8) // 64 + 1
    message[length] = 0x80
    message[length + 1 : blocks * 64] = 0
    words[blocks * 16 - 2] = np.uint32(length * 8)
    a0, b0 = np.uint32(0x67452301), np.uint32(0xEFCDAB89)
    c0, d0 = np.uint32(0x98BADCFE), np.uint32(0x10325476)
    for block in range(blocks):
        chunk = words[block * 16 : block * 16 + 16]
        a, b, c, d = a0, b0, c0, d0
        for i in range(16):
            mixed = (b & c) | (~b & d)
            a, d, c, b = d, c, b, _rotated_step(mixed, a, b, i, chunk[_WORDS[i]])
        for i in range(16, 32):
            mixed = (d & b) | (~d & c)
            a, d, c, b = d, c, b, _rotated_step(mixed, a, b, i, chunk[_WORDS[i]])
        for i in range(32, 48):
            mixed = b ^ c ^ d
            a, d, c, b = d, c, b, _rotated_step(mixed, a, b, i, chunk[_WORDS[i]])
        for i in range(48, 64):
            mixed = c ^ (b | ~d)
            a, d, c, b = d, c, b, _rotated_step(mixed, a, b, i, chunk[_WORDS[i]])
        a0, b0 = np.uint32(a0 + a), np.uint32(b0 + b)
        c0, d0 = np.uint32(c0 + c), np.uint32(d0 + d)
    return _big_endian(a0, b0), _big_endian(c0, d0)


@numba.njit(cache=True, inline="always")
def _big_endian(first, second):
    value = np.uint64(0)
    for word in (first, second):
        for shift in (0, 8, 16, 24):
            value = (value << np.uint64(8)) | np.uint64((word >> np.uint32(shift)) & np.uint32(255))
    return value


@numba.njit(cache=True)
def write_hex(message, start, high, low):
    """Write a digest's 32 hex digits into the uint8 array ``message`` and return their end."""
    for value in (high, low):
        for digit in range(16):
            nibble = (value >> np.uint64(60 - 4 * digit)) & np.uint64(15)
            message[start + digit] = nibble + (48 if nibble < 10 else 87)
        start += 16
    return start
