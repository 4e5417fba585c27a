"""Trained weights of a network in a file that also says how large the network is."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.tasks.network import CellNetwork, NetworkConfig

# What the sizes are called in the file's metadata.
_SIZES = "network"


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
