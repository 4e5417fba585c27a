import base64
import json

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.benchmarks.records import FIGURES, parse_record
from tests.helpers import official_writer as writer


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
