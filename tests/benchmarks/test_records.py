import base64
import json
import os
import struct
import threading
from itertools import accumulate, islice

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.benchmarks.records import FIGURES, begins_record, parse_record, read_records
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


def test_reads_what_the_official_format_says(rows):
    for row in rows:
        record = parse_record(writer.payload(row))
        assert record == (row.module_hash, 108, row.parameters, (*row.halfway, *row.final))


def test_figures_have_the_official_names():
    assert FIGURES == (
        "halfway_training_time",
        "halfway_train_accuracy",
        "halfway_validation_accuracy",
        "halfway_test_accuracy",
        "final_training_time",
        "final_train_accuracy",
        "final_validation_accuracy",
        "final_test_accuracy",
    )


def with_message(row, message: bytes) -> bytes:
    fields = (row.module_hash, row.epochs, row.adjacency, row.ops)
    return json.dumps([*fields, base64.b64encode(message).decode()]).encode()


def test_fields_that_are_not_needed_may_be_there(rows):
    message = base64.b64decode(writer.encoded(rows[0]))
    # Field 9, and in the first evaluation field 6, the path of its checkpoint.
    more = b"\x0a\x32" + message[2:47] + b"\x32\x03abc" + message[47:] + b"\x48\x07"
    assert parse_record(with_message(rows[0], more)) == parse_record(writer.payload(rows[0]))


def test_a_missing_field_is_an_error(rows):
    message = base64.b64decode(writer.encoded(rows[0]))
    halfway, final, parameters = 47, 94, 141
    for missing in range(1, 5):
        for start in (halfway, final):
            field = start + 2 + 9 * missing
            cut = bytearray(message[:field] + message[field + 9 :])
            cut[start + 1] -= 9
            with pytest.raises(ValueError, match=r"its \w+ is missing"):
                parse_record(with_message(rows[0], bytes(cut)))
    for cut in (message[:parameters], message[:parameters] + message[-9:]):
        with pytest.raises(ValueError, match="trainable_parameters is missing"):
            parse_record(with_message(rows[0], cut))
    for cut in (b"", message[:halfway], message[:final], message + message[:47]):
        with pytest.raises(ValueError, match="none of NAS-Bench-101"):
            parse_record(with_message(rows[0], cut))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
@pytest.mark.parametrize("position", [0, 1, 2, 3])
@pytest.mark.parametrize("point", ["halfway", "final"])
def test_impossible_measurements_are_an_error(rows, value, position, point):
    values = list(getattr(rows[0], point))
    values[position] = value
    row = rows[0]._replace(**{point: tuple(values)})
    if position == 0 and value == 1.1:
        parse_record(writer.payload(row))
    else:
        with pytest.raises(ValueError, match="measurements are impossible"):
            parse_record(writer.payload(row))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"\xff",
        b"[1, 2, 3, 4]",
        b'["hash", 108, "01", "ops", "not base64"]',
        b'["hash", 108, "01", "ops", "AAAA"]',
        b'["hash", 108, "01", "ops", null]',
        b"[" * 100_000,
    ],
    ids=range(8),
)
def test_another_payload_is_an_error(payload):
    with pytest.raises(ValueError, match="it is none of NAS-Bench-101"):
        parse_record(payload)


@pytest.mark.parametrize("change", [{"module_hash": 7}, {"epochs": 108.0}, {"epochs": True}])
def test_fields_of_another_type_are_an_error(rows, change):
    with pytest.raises(ValueError, match="begin with a hash and the epochs"):
        parse_record(writer.payload(rows[0]._replace(**change)))


@given(payload=st.binary() | st.text().map(str.encode))
def test_nothing_but_a_value_error_comes_of_noise(payload):
    with pytest.raises(ValueError, match="none of NAS-Bench-101"):
        parse_record(payload)


@given(message=st.binary(max_size=60))
def test_nothing_but_a_value_error_comes_of_noise_in_the_message(rows, message):
    with pytest.raises(ValueError, match=r"none of NAS|missing|impossible"):
        parse_record(with_message(rows[0], message))


def test_the_common_pool_of_messages_stays_free():
    file = descriptor_pb2.FileDescriptorProto(name="model_metrics.proto", package="nasbench")
    file.message_type.add(name="ModelMetrics")
    descriptor_pool.Default().Add(file)
