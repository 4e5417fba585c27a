import os
import struct
import threading
from itertools import accumulate, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.benchmarks.tfrecord import begins_record, read_records
from gnn_nas.errors import UserError
from tests.helpers import official_writer as writer

PAYLOADS = [b"first", b"", b"third, a longer one", b"\0" * 5]
OFFSETS = [0, *accumulate(len(payload) + 16 for payload in PAYLOADS)]


@pytest.fixture(scope="module")
def content() -> bytes:
    return b"".join(map(writer.frame, PAYLOADS))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("tfrecord") / "file.tfrecord"


def plain_crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli) bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_checksums_are_masked_crc32c(path):
    def checksum(data: bytes) -> bytes:
        crc = plain_crc32c(data)
        return struct.pack("<I", ((crc >> 15 | crc << 17) % 2**32 + 0xA282EAD8) % 2**32)

    assert plain_crc32c(b"123456789") == 0xE3069283
    length = struct.pack("<Q", 9)
    path.write_bytes(length + checksum(length) + b"123456789" + checksum(b"123456789"))
    assert list(read_records(path)) == [(0, b"123456789")]


@given(payloads=st.lists(st.binary(max_size=300), max_size=20))
def test_gives_every_record_and_where_it_begins(path, payloads):
    path.write_bytes(b"".join(map(writer.frame, payloads)))
    offsets = [0, *accumulate(len(payload) + 16 for payload in payloads)]
    assert list(read_records(path)) == list(zip(offsets, payloads, strict=False))


def test_cut_off_at_any_point_it_names_the_record(path, content):
    for length in range(len(content)):
        path.write_bytes(content[:length])
        whole = sum(offset <= length for offset in OFFSETS[1:])
        records = read_records(path)
        assert [payload for _, payload in islice(records, whole)] == PAYLOADS[:whole]
        if length in OFFSETS:
            assert next(records, None) is None
        else:
            with pytest.raises(UserError, match=f"file.tfrecord: .* byte {OFFSETS[whole]} .* ends"):
                next(records)


@given(data=st.data())
def test_any_damaged_byte_is_noticed_and_the_record_named(path, content, data):
    position = data.draw(st.integers(0, len(content) - 1))
    change = data.draw(st.integers(1, 255))
    damaged = bytearray(content)
    damaged[position] ^= change
    path.write_bytes(damaged)
    number = sum(offset <= position for offset in OFFSETS[1:])
    records = read_records(path)
    assert list(islice(records, number)) == list(zip(OFFSETS, PAYLOADS, strict=False))[:number]
    with pytest.raises(UserError, match=f"file.tfrecord: the record at byte {OFFSETS[number]} is"):
        next(records)


def test_an_absurd_length_takes_no_memory(path):
    length = struct.pack("<Q", 1 << 60)
    path.write_bytes(length + writer.masked(length))
    with pytest.raises(UserError, match=r"byte 0 is damaged \(its length is 1,152,"):
        list(read_records(path))


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"absent: cannot read: No such file"):
        list(read_records(tmp_path / "absent"))
    with pytest.raises(UserError, match=r"cannot read: Is a directory"):
        list(read_records(tmp_path))


def test_a_pipe_is_read_as_well(tmp_path, content):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    thread = threading.Thread(target=pipe.write_bytes, args=[content])
    thread.start()
    assert [payload for _, payload in read_records(pipe)] == PAYLOADS
    thread.join()


def test_knows_files_of_records_by_their_beginning(content):
    assert begins_record(content[:12])
    assert not any(map(begins_record, (b"", b"PK\3\4", content[:11], content[1:13], b"\0" * 12)))
