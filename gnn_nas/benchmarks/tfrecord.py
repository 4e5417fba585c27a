"""TFRecord files without TensorFlow: a stream of length-prefixed, checksummed records."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from crc32c import crc32c

from gnn_nas.errors import UserError

_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_HEADER_BYTES = _LENGTH.size + _CHECKSUM.size

# Keeps a wrong length from asking for all memory; the records of NAS-Bench-101 have 400 bytes.
_MAX_LENGTH = 1 << 20
_BUFFER_BYTES = 1 << 20
# How compressed files begin, and what restores them.
_COMPRESSED = {
    b"\x1f\x8b": "gunzip",
    b"BZh": "bunzip2",
    b"\xfd7zXZ\0": "unxz",
    b"\x28\xb5\x2f\xfd": "unzstd",
}


def read_records(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """Give every record's byte offset in the file and payload, in order; pipes are read as well.

    Raises:
        UserError: the file cannot be read, is compressed, or a record is damaged or cut off; names
            its offset.
    """
    offset = 0
    try:
        with open(path, "rb", buffering=_BUFFER_BYTES) as stream:
            while header := stream.read(_HEADER_BYTES):
                if len(header) < _HEADER_BYTES:
                    raise _damaged(path, offset, "the file ends within it")
                if not begins_record(header):
                    for beginning, tool in _COMPRESSED.items() if not offset else ():
                        if header.startswith(beginning):
                            raise UserError(f"{path} is compressed: {tool} it first")
                    raise _damaged(path, offset, "its length does not fit its checksum")
                (length,) = _LENGTH.unpack_from(header)
                if length > _MAX_LENGTH:
                    raise _damaged(path, offset, f"its length is {length:,} bytes")
                payload, checksum = stream.read(length), stream.read(_CHECKSUM.size)
                if len(checksum) < _CHECKSUM.size:
                    raise _damaged(path, offset, "the file ends within it")
                if checksum != _masked_checksum(payload):
                    raise _damaged(path, offset, "its content does not fit its checksum")
                yield offset, payload
                offset += _HEADER_BYTES + length + _CHECKSUM.size
    except OSError as error:
        raise UserError(f"{path}: cannot read: {error.strerror}") from None


def begins_record(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a record."""
    return head[_LENGTH.size : _HEADER_BYTES] == _masked_checksum(head[: _LENGTH.size])


def _masked_checksum(data: bytes) -> bytes:
    """CRC-32C, rotated and shifted so that a checksum of checksums stays a good one."""
    crc = crc32c(data)
    return _CHECKSUM.pack(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _damaged(path: str | Path, offset: int, how: str) -> UserError:
    return UserError(
        f"{path}: the record at byte {offset} is damaged ({how}): get the file anew, or give one"
        " that is a TFRecord file"
    )
