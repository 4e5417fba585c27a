"""The official files of NAS-Bench-101 without TensorFlow: one record a training of a cell.

They are TFRecord files, streams of length-prefixed, checksummed records.
"""

from __future__ import annotations

import binascii
import json
import struct
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import NamedTuple

from crc32c import crc32c
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from gnn_nas.errors import UserError

_MEASURED = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")

FIGURES = tuple(f"{point}_{name}" for point in ("halfway", "final") for name in _MEASURED)
"""What is measured of one training, by the official API's names."""

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


class Record(NamedTuple):
    """One training: ``values`` are in the order of ``FIGURES``."""

    module_hash: str
    epochs: int
    parameters: int
    values: tuple[float, ...]


def parse_record(payload: bytes) -> Record:
    """Read ``[hash, epochs, adjacency, comma-joined ops, base64 protobuf]``.

    Raises:
        ValueError: the payload is something else, or a measurement is missing.
    """
    try:
        module_hash, epochs, _, _, encoded = json.loads(payload)
        metrics = _ModelMetrics.FromString(binascii.a2b_base64(encoded, strict_mode=True))
        # The first evaluation is that of the untrained network.
        _, halfway, final = metrics.evaluation_data
    except (ValueError, TypeError, DecodeError, RecursionError) as error:
        raise ValueError(f"it is none of NAS-Bench-101 ({error})") from error
    if type(module_hash) is not str or type(epochs) is not int:
        raise ValueError("it is none of NAS-Bench-101 (it must begin with a hash and the epochs)")
    if not metrics.HasField("trainable_parameters"):
        raise ValueError("its trainable_parameters is missing")
    parameters = metrics.trainable_parameters
    if parameters < 1:
        raise ValueError(f"its parameters are impossible: {parameters}")
    return Record(module_hash, epochs, parameters, (*_measured(halfway), *_measured(final)))


def _masked_checksum(data: bytes) -> bytes:
    """CRC-32C, rotated and shifted so that a checksum of checksums stays a good one."""
    crc = crc32c(data)
    return _CHECKSUM.pack(((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _damaged(path: str | Path, offset: int, how: str) -> UserError:
    return UserError(
        f"{path}: the record at byte {offset} is damaged ({how}): get the file anew, or give one"
        " that is a TFRecord file"
    )


def _measured(evaluation: Message) -> tuple[float, ...]:
    for name in _MEASURED:
        if not evaluation.HasField(name):
            raise ValueError(f"its {name} is missing")
    seconds, train = evaluation.training_time, evaluation.train_accuracy
    validation, test = evaluation.validation_accuracy, evaluation.test_accuracy
    if not (0 <= seconds < inf and 0 <= train <= 1 and 0 <= validation <= 1 and 0 <= test <= 1):
        raise ValueError(f"its measurements are impossible: {seconds, train, validation, test}")
    return seconds, train, validation, test


def _model_metrics() -> type[Message]:
    """The message of ``nasbench/lib/model_metrics.proto``, without generated code."""
    field = FieldDescriptorProto
    file = FileDescriptorProto(name="model_metrics.proto", package="nasbench", syntax="proto2")
    evaluation = file.message_type.add(name="EvaluationData")
    for number, name in enumerate(("current_epoch", *_MEASURED), start=1):
        evaluation.field.add(
            name=name, number=number, type=field.TYPE_DOUBLE, label=field.LABEL_OPTIONAL
        )
    metrics = file.message_type.add(name="ModelMetrics")
    metrics.field.add(
        name="evaluation_data",
        number=1,
        type=field.TYPE_MESSAGE,
        type_name=".nasbench.EvaluationData",
        label=field.LABEL_REPEATED,
    )
    metrics.field.add(
        name="trainable_parameters", number=2, type=field.TYPE_INT32, label=field.LABEL_OPTIONAL
    )
    # A pool of its own: the official package registers the same names in the common one.
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("nasbench.ModelMetrics"))


_ModelMetrics = _model_metrics()
