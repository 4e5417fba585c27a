"""NAS-Bench-101's module hash, for whole batches of cells of any space; with MD5 (RFC 1321)."""

import hashlib
import math
from functools import cache

import numba
import numpy as np
import torch

from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace

# Room for the longest message: the list of eleven quoted digests, 396 bytes, and the padding.
_BUFFER_WORDS = 112
# Of MD5's 64 steps.
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


def module_hash(cells: PackedCells) -> np.ndarray:
    """MD5 module hashes of pruned cells (Ying et al. 2019, ``graph_util.hash_module``).

    Every vertex starts from the digest of its degrees and label and is refined, as many times as
    there are vertices, by the sorted digests of its in- and out-neighbours. Where the wiring is
    fixed a vertex's place is part of its label, as every choice of ops is a cell of its own.

    Returns:
        uint8 ``[B, 16]``; ``bytes(row).hex()`` is the official string
    """
    adjacency = cells.adjacency().cpu().numpy()
    vertices = cells.vertices.cpu().numpy()
    labels = cells.features().cpu().numpy()
    if cells.space.wiring:
        labels += len(cells.space.features) * np.arange(labels.shape[1])
    # Both use the same OpenMP runtime, and numba leaves its own number of threads behind.
    threads = torch.get_num_threads()
    digests = _hash_cells(adjacency, vertices, labels, _start_digests(cells.space))
    torch.set_num_threads(threads)
    return digests.astype(">u8").view(np.uint8)


@cache
def _start_digests(space: CellSpace) -> np.ndarray:
    """Digests of every ``(out_degree, in_degree, label)``, uint64 ``[V, V, labels, 2]``."""
    by_feature: tuple[int, ...] = (-1, *range(len(space.ops)), -2)
    if space.wiring:
        by_feature = tuple(range(len(by_feature) * space.max_vertices))
    shape = (space.max_vertices, space.max_vertices, len(by_feature))
    digests = [
        hashlib.md5(str((out, into, by_feature[label])).encode()).digest()
        for out, into, label in np.ndindex(shape)
    ]
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64).reshape(*shape, 2)


@numba.njit(cache=True, parallel=True)
def _hash_cells(adjacency, vertices, labels, start_digests):
    result = np.empty((len(vertices), 2), dtype=np.uint64)
    for cell in numba.prange(len(vertices)):
        count = vertices[cell]
        result[cell] = _hash_cell(adjacency[cell, :count, :count], labels[cell], start_digests)
    return result


@numba.njit(cache=True)
def _hash_cell(edges, labels, start_digests):
    words = np.empty(_BUFFER_WORDS, dtype=np.uint32)
    message = words.view(np.uint8)
    state = np.empty((len(edges), 2), dtype=np.uint64)
    for v in range(len(edges)):
        state[v] = start_digests[edges[v].sum(), edges[:, v].sum(), labels[v]]
    refined = np.empty_like(state)
    for _ in range(len(edges)):
        # Sorted once a round; every list of neighbours then comes out sorted.
        order = _sorted_order(state)
        for v in range(len(edges)):
            end = _write_digests(message, 0, state, order, edges[:, v])
            end = _write_digests(message, end, state, order, edges[v])
            end = write_hex(message, end, state[v, 0], state[v, 1])
            refined[v, 0], refined[v, 1] = md5(words, end)
        state, refined = refined, state
    message[0] = ord("[")
    end = 1
    for u in _sorted_order(state):
        message[end] = ord("'")
        end = write_hex(message, end + 1, state[u, 0], state[u, 1])
        message[end], message[end + 1], message[end + 2] = ord("'"), ord(","), ord(" ")
        end += 3
    message[end - 2] = ord("]")
    return np.array(md5(words, end - 1))


@numba.njit(cache=True)
def _write_digests(message, end, state, order, selected):
    """Append the selected digests in sorted order and the separator."""
    for u in order:
        if selected[u]:
            end = write_hex(message, end, state[u, 0], state[u, 1])
    message[end] = ord("|")
    return end + 1


@numba.njit(cache=True)
def _sorted_order(state):
    """Insertion sort of a few digests."""
    order = np.arange(len(state))
    for i in range(1, len(state)):
        item, place = order[i], i
        while place > 0:
            before = order[place - 1]
            if state[before, 0] < state[item, 0] or (
                state[before, 0] == state[item, 0] and state[before, 1] <= state[item, 1]
            ):
                break
            order[place] = before
            place -= 1
        order[place] = item
    return order


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
