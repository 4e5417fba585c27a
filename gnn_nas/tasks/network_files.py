"""A cell's network in files: its trained weights, a Python module to change, and ONNX."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gnn_nas.errors import UserError, to_install
from gnn_nas.files import atomic_path
from gnn_nas.spaces.conversion import to_matrix
from gnn_nas.spaces.known import is_known
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.tasks.network import CellNetwork, NetworkConfig

# What the sizes are called in the file's metadata.
_SIZES = "network"
# The largest message of protobuf; what is larger would need a second file for its weights.
_MAX_BYTES = 2**31 - 1
_BYTES_PER_WEIGHT = 4
# Of the text of a tuple.
_LONGEST_LINE = 60

_TEMPLATE = '''\
"""The network of cell {name}.

`build()` gives it: images [B, {in_channels}, H, W] to logits [B, {classes}]. The cell is a graph of
operations, here in topological order, which the network repeats: see `CellNetwork`.
"""

from pathlib import Path

from safetensors.torch import load_file

{imports}

{space}
OPS = [
{ops}
]
# 1 in row x and column y: vertex y reads from vertex x.
MATRIX = [
{matrix}
]
SIZES = NetworkConfig(
{sizes}
)
{weights}


def build(weights: str | Path | None = WEIGHTS) -> CellNetwork:
    """Give the network with the weights of a safetensors file, or with new ones where it is None.

    New weights come from torch's generator: call `torch.manual_seed` before.
    """
    network = CellNetwork(pack(from_matrix(MATRIX, OPS, SPACE), SPACE), SIZES)
    if weights is not None:
        network.load_state_dict(load_file(weights))
    return network
'''

_IMPORTS = """\
from gnn_nas.spaces import from_matrix, pack
from gnn_nas.spaces.known import get_space
from gnn_nas.tasks.network import CellNetwork, NetworkConfig"""
_IMPORTS_OF_OWN = """\
from gnn_nas.references import look_in
from gnn_nas.spaces import from_matrix, pack
from gnn_nas.spaces.space import CellSpace
from gnn_nas.tasks.network import CellNetwork, NetworkConfig"""
_OWN_SPACE = """\
# Modules of its ops that are not installed lie beside this file.
look_in(str(Path(__file__).parent))
SPACE = CellSpace(
{fields}
)"""
_TRAINED = """\
# The trained weights, beside this file.
WEIGHTS = Path(__file__).with_name("{file}")"""
_UNTRAINED = """\
# The network was never trained.
WEIGHTS = None"""


def weights_bytes(network: CellNetwork) -> bytes:
    """The ``state_dict`` of a network as a safetensors file, its sizes in the metadata."""
    tensors = {name: each.cpu().contiguous() for name, each in network.state_dict().items()}
    return save(tensors, {_SIZES: network.config.model_dump_json()})


def read_weights(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], NetworkConfig | None]:
    """Read a safetensors file of weights, and the network's sizes where its metadata have them.

    Raises:
        UserError: the file cannot be read, is none of safetensors, or has impossible sizes.
    """
    path = Path(path)
    try:
        # It would report any trouble in words of its own, and a folder as "device not found".
        path.open("rb").close()
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
    except OSError as error:
        raise UserError(f"{path}: cannot read the weights: {error.strerror or error}") from None
    except SafetensorError as error:
        raise UserError(f"{path} is damaged or no file of safetensors: {error}") from None
    if _SIZES not in metadata:
        return tensors, None
    try:
        return tensors, NetworkConfig(**json.loads(metadata[_SIZES]))
    except (ValidationError, ValueError, TypeError):
        raise UserError(f"{path}: its metadata have no sizes of a network: {_SIZES}") from None


def network_source(
    cell: PackedCells, config: NetworkConfig, name: str, weights: str | None = None
) -> str:
    """Give the text of a module that spells out one cell and builds its network.

    Args:
        cell: a batch of one pruned cell.
        name: what the text calls it, such as its hash.
        weights: name of the file beside the module that holds trained weights; ``None`` for none.
    """
    space = cell.space
    matrix, ops = to_matrix(cell.to_batch()[0], space)
    fields = (f"{each.name}={_literal(getattr(space, each.name))}" for each in fields_of(space))
    return _TEMPLATE.format(
        name=name,
        imports=_IMPORTS if is_known(space) else _IMPORTS_OF_OWN,
        space=f'SPACE = get_space("{space.name}")'
        if is_known(space)
        else _OWN_SPACE.format(fields=_indented(fields)),
        in_channels=config.in_channels,
        classes=config.classes,
        ops=_indented(map(_literal, ops)),
        matrix=_indented(str(row) for row in matrix.tolist()),
        sizes=_indented(f"{key}={value!r}" for key, value in config.model_dump().items()),
        weights=_TRAINED.format(file=weights) if weights else _UNTRAINED,
    )


def require_onnx(parameters: int) -> None:
    """Make sure that a network of so many parameters can be written as ONNX.

    Raises:
        UserError: the network is too large for one file, or the packages are missing.
    """
    if parameters * _BYTES_PER_WEIGHT > _MAX_BYTES:
        raise UserError(f"{parameters:,} parameters are too many for an ONNX file of 2 GB at most")
    needed = ("onnx", "onnxscript")
    if not all(importlib.util.find_spec(package) for package in needed):
        raise UserError(f"ONNX needs packages that are not installed: {to_install(*needed)}")


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


def _literal(value: Any) -> str:
    """A value as Python text: long tuples, of wirings and names, have a line for every item."""
    if isinstance(value, str):
        text = repr(value)
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in text else text
    if not isinstance(value, tuple):
        return repr(value)
    items = [_literal(each) for each in value]
    line = f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if len(line) <= _LONGEST_LINE:
        return line
    return "(\n" + "".join(f"        {each},\n" for each in items) + "    )"


def _indented(items: Iterable[str]) -> str:
    return "\n".join(f"    {item}," for item in items)


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
