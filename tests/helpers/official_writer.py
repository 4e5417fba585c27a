"""Writes files in the official format of NAS-Bench-101, byte by byte.

Nothing is shared with the code that reads them. Also for ``bench/``.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from crc32c import crc32c

from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.space import INPUT, OUTPUT
from gnn_nas.spaces.table import CellTable

IMAGES = 9984


class Row(NamedTuple):
    """One training; halfway and final are seconds, then train, validation and test accuracy."""

    module_hash: str
    epochs: int
    adjacency: str
    ops: str
    parameters: int
    halfway: tuple[float, ...]
    final: tuple[float, ...]


def write_tfrecord(path: Path, rows: Iterable[Row]) -> None:
    with path.open("wb") as stream:
        for row in rows:
            stream.write(frame(payload(row)))


def frame(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))
    return length + masked(length) + content + masked(content)


def masked(content: bytes) -> bytes:
    crc = crc32c(content)
    rotated = (crc >> 15) | (crc << 17) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + 0xA282EAD8) % (1 << 32))


def payload(row: Row) -> bytes:
    fields = (row.module_hash, row.epochs, row.adjacency, row.ops, encoded(row).decode())
    return json.dumps(fields).encode()


def encoded(row: Row) -> bytes:
    points = [(0.0, 0.0, 0.1, 0.1, 0.1), (row.epochs / 2, *row.halfway), (row.epochs, *row.final)]
    message = b"".join(b"\x0a\x2d" + _DOUBLES.pack(*_tagged(point)) for point in points)
    message += b"\x10" + _varint(row.parameters) + b"\x19" + struct.pack("<d", 2 * row.final[0])
    return base64.b64encode(message)


def synthetic_rows(
    table: CellTable, epochs: Iterable[int] = (108,), trials: int = 3, seed: int = 0
) -> Iterator[Row]:
    """Random measurements of all cells, every pass over them in an order of its own."""
    draw = np.random.default_rng(seed)
    cells = table.cells
    columns = (cells.vertices.tolist(), cells.edges.tolist(), cells.ops.tolist())
    parameters = draw.integers(200_000, 50_000_000, len(table)).tolist()
    digits = table.module_hash.numpy().tobytes().hex()
    for budget in epochs:
        for _ in range(trials):
            correct = draw.integers(1000, IMAGES, (len(table), 6))
            accuracies = (correct / IMAGES).astype(np.float32).tolist()
            seconds = draw.uniform(budget, 30 * budget, len(table)).tolist()
            for cell in draw.permutation(len(table)).tolist():
                adjacency, ops = _written(*(column[cell] for column in columns))
                yield Row(
                    digits[32 * cell : 32 * cell + 32],
                    budget,
                    adjacency,
                    ops,
                    parameters[cell],
                    (seconds[cell] / 2, *accuracies[cell][:3]),
                    (seconds[cell], *accuracies[cell][3:]),
                )


# Five pairs of a field's tag and a double: 45 = 0x2d bytes.
_DOUBLES = struct.Struct("<" + "Bd" * 5)


def _tagged(point: tuple[float, ...]) -> tuple[float, ...]:
    epoch, seconds, train, validation, test = point
    return 0x09, epoch, 0x11, seconds, 0x19, train, 0x21, validation, 0x29, test


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _written(vertices: int, edges: int, ops: list[int]) -> tuple[str, str]:
    adjacency = "".join(
        "1" if x < y and edges >> (x + y * (y - 1) // 2) & 1 else "0"
        for x in range(vertices)
        for y in range(vertices)
    )
    return adjacency, ",".join(
        (INPUT, *(NASBENCH101.ops[op] for op in ops[: vertices - 2]), OUTPUT)
    )
