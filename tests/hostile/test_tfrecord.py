"""Files given to ``import`` that are damaged, incomplete, or something else."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import pickle
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn_nas.benchmarks.importing import import_tfrecord
from gnn_nas.errors import UserError
from gnn_nas.spaces.table import CellTable
from tests.helpers import official_writer as writer

ROWS = 9


@pytest.fixture(scope="module")
def small_table(table) -> CellTable:
    few = torch.tensor([0, 1, 2])
    return CellTable(table.cells[few], table.module_hash[few], table.row_of_form, table.first_form)


@pytest.fixture(scope="module")
def rows(small_table) -> list:
    return list(writer.synthetic_rows(small_table))


@pytest.fixture(scope="module")
def frames(rows) -> list[bytes]:
    return [writer.frame(writer.payload(row)) for row in rows]


@pytest.fixture(scope="module")
def imported(frames, small_table, tmp_path_factory) -> bytes:
    """What the sound file becomes."""
    folder = tmp_path_factory.mktemp("sound")
    (folder / "file").write_bytes(b"".join(frames))
    import_tfrecord(folder / "file", folder / "out", small_table)
    return (folder / "out").read_bytes()


@pytest.fixture
def bring(small_table, tmp_path) -> Callable[[bytes], Path]:
    """Imports a file's content and gives where the result is."""

    def call(content: bytes) -> Path:
        (tmp_path / "file").write_bytes(content)
        import_tfrecord(tmp_path / "file", tmp_path / "out", small_table)
        return tmp_path / "out"

    return call


@pytest.fixture
def refused(bring, tmp_path) -> Callable[[bytes], str]:
    """Checks that a content is refused in one line that names the file, and leaves no result."""

    def check(content: bytes) -> str:
        with pytest.raises(UserError) as caught:
            bring(content)
        line = str(caught.value)
        assert line.startswith(str(tmp_path / "file"))
        assert line.isprintable()
        assert len(line) < len(str(tmp_path)) + 500
        assert [path.name for path in tmp_path.iterdir()] == ["file"]
        return line

    return check


PARTS = {"length": (0, 8), "its checksum": (8, 12), "payload": (12, -4), "checksum": (-4, None)}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("part", PARTS)
def test_a_flipped_bit_is_noticed_wherever_it_is(refused, frames, part, seed):
    draw = random.Random(f"{part} {seed}")
    number = draw.randrange(ROWS)
    frame = bytearray(frames[number])
    position = draw.choice(range(len(frame))[slice(*PARTS[part])])
    frame[position] ^= 1 << draw.randrange(8)
    line = refused(b"".join([*frames[:number], bytes(frame), *frames[number + 1 :]]))
    assert f"record at byte {sum(map(len, frames[:number]))} is damaged" in line


@pytest.mark.parametrize("seed", range(15))
def test_overwritten_bytes_are_noticed(refused, frames, seed):
    draw = random.Random(seed)
    content = bytearray(b"".join(frames))
    start, count = draw.randrange(len(content) - 64), draw.randrange(1, 64)
    fill = draw.choice([bytes(count), b"\xff" * count, draw.randbytes(count)])
    content[start : start + count] = fill
    assert "is damaged" in refused(bytes(content))


@pytest.mark.parametrize("seed", range(12))
def test_a_file_that_was_cut_off_is_noticed(refused, frames, seed):
    content = b"".join(frames)
    end = random.Random(seed).randrange(1, len(content))
    assert "the file ends within it" in refused(content[:end])


@pytest.mark.parametrize("kept", range(ROWS))
def test_a_file_that_was_cut_off_between_records_is_incomplete(refused, frames, kept):
    assert f"not complete: found {kept} rows, expected 9" in refused(b"".join(frames[:kept]))


@pytest.mark.parametrize("seed", range(8))
def test_a_byte_too_few_or_too_many_is_noticed(refused, frames, seed):
    draw = random.Random(seed)
    content = b"".join(frames)
    place = draw.randrange(len(content))
    more = draw.random() < 0.5
    refused(content[:place] + (draw.randbytes(1) if more else b"") + content[place + (not more) :])


@pytest.mark.parametrize("number", range(ROWS))
def test_a_missing_row_is_noticed(refused, frames, number):
    line = refused(b"".join(frames[:number] + frames[number + 1 :]))
    assert "not complete: found 8 rows, expected 9" in line
    assert "has 2 instead of 3" in line


@pytest.mark.parametrize("number", range(ROWS))
def test_a_doubled_row_is_noticed(refused, frames, number):
    line = refused(b"".join([*frames, frames[number]]))
    assert "found 10 rows, expected 9" in line
    assert "has 4 instead of 3" in line


@pytest.mark.parametrize("seed", range(9))
def test_a_row_in_place_of_another_cells_is_noticed(refused, frames, rows, seed):
    draw = random.Random(seed)
    one = draw.randrange(ROWS)
    other = draw.choice(
        [i for i, row in enumerate(rows) if row.module_hash != rows[one].module_hash]
    )
    changed = list(frames)
    changed[one] = frames[other]
    assert "instead of 3" in refused(b"".join(changed))


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_the_cells_does_not_matter(bring, frames, rows, imported, seed):
    """Any order that leaves every cell its first, second and third training."""
    by_cell: dict[str, list[bytes]] = {}
    for row, frame in zip(rows, frames, strict=True):
        by_cell.setdefault(row.module_hash, []).append(frame)
    order = [row.module_hash for row in rows]
    random.Random(seed).shuffle(order)
    content = b"".join(by_cell[module_hash].pop(0) for module_hash in order)
    assert bring(content).read_bytes() == imported


def _message(row, **changes) -> str:
    """The encoded measurements of a row with some figures changed."""
    figures = {"epochs": (0.0, 54.0, 108.0), "parameters": row.parameters, "final": row.final}
    figures |= changes
    message = b""
    for epoch, point in zip(
        figures["epochs"], ((0, 0.1, 0.1, 0.1), row.halfway, figures["final"]), strict=True
    ):
        doubles = zip((9, 17, 25, 33, 41), (epoch, *point), strict=True)
        message += b"\x0a\x2d" + b"".join(struct.pack("<Bd", *each) for each in doubles)
    number, varint = figures["parameters"] % 2**64, bytearray()
    while number > 127:
        varint.append(number & 127 | 128)
        number >>= 7
    return base64.b64encode(message + b"\x10" + bytes([*varint, number])).decode()


def _final(place: int, value: float) -> Callable:
    def change(row) -> list:
        final = list(row.final)
        final[place] = value
        return [*_fields(row)[:4], _message(row, final=tuple(final))]

    return change


def _fields(row) -> list:
    return [row.module_hash, row.epochs, row.adjacency, row.ops, _message(row)]


def _replaced(place: int, value: object) -> Callable:
    return lambda row: [value if i == place else each for i, each in enumerate(_fields(row))]


# What a program could write that makes its checksums well: by name, a row's JSON or raw payload.
CONTENTS: dict[str, Callable] = {
    **{
        f"{name} {value}": _final(place, value)
        for place, name in enumerate(("seconds", "train", "validation", "test"))
        for value in (-1.0, float("nan"), float("inf"), -float("inf"))
    },
    **{
        f"{name} {value}": _final(place, value)
        for place, name in ((1, "train"), (2, "validation"), (3, "test"))
        for value in (1.0000001, 93.2, 1e308)
    },
    **{
        f"{number} parameters": lambda row, number=number: [
            *_fields(row)[:4],
            _message(row, parameters=number),
        ]
        for number in (0, -1, -(2**31), 1)
    },
    **{
        f"hash {str(value)[:12]!r}": _replaced(0, value)
        for value in (
            "",
            "0" * 32,
            "0" * 31,
            "g" * 32,
            "00005C" * 6,
            7,
            None,
            [],
            {},
            "a" * 500_000,
        )
    },
    "hash with an escape": _replaced(0, "\x1b[2J\x00\n"),
    "hash with half a surrogate": _replaced(0, "\ud800"),
    **{
        f"epochs {str(value)[:12]!r}": _replaced(1, value)
        for value in (0, -108, 107, 108.0, "108", True, None, [108], 10**4000)
    },
    **{
        f"measurements {str(value)[:12]!r}": _replaced(4, value)
        for value in (
            "",
            "AAAA",
            "not base64!",
            "ü",
            7,
            None,
            [],
            base64.b64encode(bytes(99)).decode(),
        )
    },
    "a field too few": lambda row: _fields(row)[:4],
    "a field too many": lambda row: [*_fields(row), 1],
    "a mapping": lambda row: {"hash": row.module_hash},
    "a number": lambda row: 3,
    "nothing": lambda row: b"",
    "no JSON": lambda row: b"[" + row.module_hash.encode(),
    "no text": lambda row: bytes(range(128, 256)),
    "JSON without end": lambda row: b"[" * 100_000,
    "a number of 10,000 digits": lambda row: b"[" + b"9" * 10_000 + b"]",
    "a protobuf Example": lambda row: b"\x0a\x10\x0a\x0e\x0a\x05label\x12\x05\x1a\x03\x0a\x01\x01",
}


@pytest.mark.parametrize("name", CONTENTS)
def test_contents_with_right_checksums_are_read_with_care(refused, frames, rows, name):
    number = random.Random(name).randrange(ROWS)
    content = CONTENTS[name](rows[number])
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    changed = [*frames[:number], writer.frame(payload), *frames[number + 1 :]]
    start = sum(map(len, frames[:number]))
    line = refused(b"".join(changed))
    # Parameters may contradict those of a later record of the same cell.
    assert f"the record at byte {start} is wrong" in line or "1 in another training" in line


def test_the_rows_that_these_contents_are_made_of_are_sound(bring, rows, imported):
    content = b"".join(writer.frame(json.dumps(_fields(row)).encode()) for row in rows)
    assert bring(content).read_bytes() == imported


def _zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("nasbench_only108.tfrecord", content)
    return stream.getvalue()


def _npz(_: bytes) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, test_correct_trial0=np.zeros(3, np.uint16))
    return stream.getvalue()


FOREIGN: dict[str, Callable[[bytes], bytes]] = {
    "zip": _zipped,
    "npz": _npz,
    "pickle": lambda content: pickle.dumps({"computed": [1, 2, 3]}),
    "safetensors": lambda content: struct.pack("<Q", 2) + b"{}",
    "html": lambda content: b"<!DOCTYPE html><html><title>404 Not Found</title></html>",
    "text": lambda content: b"the quick brown fox jumps over the lazy dog\n" * 9,
    "csv": lambda content: b"hash,epochs,test\n00005c14,108,0.93\n",
    "json": lambda content: json.dumps({"rows": []}).encode(),
    "a Git LFS pointer": lambda content: b"version https://git-lfs.github.com/spec/v1\noid sha256:",
    "png": lambda content: b"\x89PNG\r\n\x1a\n" + bytes(64),
    "zeros": lambda content: bytes(4096),
    "ones": lambda content: b"\xff" * 4096,
    "one byte": lambda content: b"\n",
    "noise": lambda content: random.Random(0).randbytes(4096),
    "without its zero bytes": lambda content: content.replace(b"\0", b""),
    "text that was read as UTF-8": lambda content: content.decode(errors="replace").encode(),
    "hexadecimal": lambda content: content.hex().encode(),
    "base64": base64.b64encode,
    "backwards": lambda content: content[::-1],
    "behind a byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "a gzip file of nothing, cut off": lambda content: gzip.compress(b"")[:12],
}
COMPRESSED = {"gunzip": gzip.compress, "bunzip2": bz2.compress, "unxz": lzma.compress}


@pytest.mark.parametrize("name", FOREIGN)
def test_another_format_is_refused(refused, frames, name):
    assert refused(FOREIGN[name](b"".join(frames)))


@pytest.mark.parametrize("tool", [*COMPRESSED, "unzstd"])
def test_a_compressed_file_is_named_as_such(refused, frames, tool):
    compress = COMPRESSED.get(tool, lambda content: b"\x28\xb5\x2f\xfd" + content)
    assert refused(compress(b"".join(frames))).endswith(f"file is compressed: {tool} it first")


def test_nothing_at_all_is_incomplete(refused):
    assert "found 0 rows" in refused(b"")


def test_what_is_no_file_is_refused(small_table, tmp_path):
    for name in ("", "absent"):
        with pytest.raises(UserError, match=r"cannot read: Is a directory|no such file"):
            import_tfrecord(tmp_path / name, tmp_path / "out", small_table)


def test_a_sparse_file_of_a_terabyte_takes_no_time(small_table, tmp_path):
    with (tmp_path / "file").open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(UserError, match="record at byte 0 is damaged"):
        import_tfrecord(tmp_path / "file", tmp_path / "out", small_table)


@pytest.mark.parametrize("length", [1 << 20, 1 << 31, 1 << 40, (1 << 64) - 1])
def test_a_claimed_length_takes_no_memory(refused, frames, length):
    packed = struct.pack("<Q", length)
    line = refused(b"".join(frames) + packed + writer.masked(packed))
    assert "is damaged" in line
