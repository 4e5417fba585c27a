"""Networks as ONNX, for what runs them without PyTorch."""

from __future__ import annotations

import importlib.util
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gnn_nas.errors import UserError
from gnn_nas.files import atomic_path
from gnn_nas.tasks.network import CellNetwork

# The largest message of protobuf; what is larger would need a second file for its weights.
_MAX_BYTES = 2**31 - 1
_BYTES_PER_WEIGHT = 4


def require_onnx(parameters: int) -> None:
    """Make sure that a network of so many parameters can be written as ONNX.

    Raises:
        UserError: the network is too large for one file, or the packages are missing.
    """
    if parameters * _BYTES_PER_WEIGHT > _MAX_BYTES:
        raise UserError(f"{parameters:,} parameters are too many for an ONNX file of 2 GB at most")
    if not all(importlib.util.find_spec(package) for package in ("onnx", "onnxscript")):
        raise UserError("ONNX needs packages that are not installed: pip install 'gnn-nas[onnx]'")


def save_onnx(path: str | os.PathLike[str], network: CellNetwork, image_size: int) -> None:
    """Write a network as it predicts, in evaluation mode, into one ONNX file.

    Its input is ``images``, float32 ``[batch, in_channels, image_size, image_size]`` with any
    batch, its output ``logits``, ``[batch, classes]``. The network is left in the mode it was in.

    Raises:
        OSError: the file cannot be written.
    """
    was_training = network.training
    # A batch of one would be taken for a constant.
    images = torch.zeros(2, network.config.in_channels, image_size, image_size)
    try:
        with _quiet():
            program = torch.onnx.export(
                network.eval(),
                (images,),
                dynamo=True,
                verbose=False,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
            )
    finally:
        network.train(was_training)
    # The exporter's notes name this machine's folders, and can be larger than the weights.
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()
    with atomic_path(path) as temporary:
        program.save(temporary, external_data=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's warnings, which concern torch's own code and not the user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
