"""The records of the official NAS-Bench-101 files: one training of one cell each."""

from __future__ import annotations

import binascii
import json
from math import inf
from typing import NamedTuple

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

_MEASURED = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")

FIGURES = tuple(f"{point}_{name}" for point in ("halfway", "final") for name in _MEASURED)
"""What is measured of one training, by the official API's names."""


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
