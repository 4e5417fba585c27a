"""Tensors in the safetensors format that notice damage."""

from __future__ import annotations

import json
from collections.abc import Mapping

import torch
from crc32c import crc32c
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

_CHECKSUM = "crc32c"


def checksum(tensors: Mapping[str, Tensor]) -> str:
    """CRC-32C of tensors on the CPU, their names, types and shapes, as 8 hexadecimal digits."""
    value = 0
    for name, tensor in sorted(tensors.items()):
        value = crc32c(f"{name} {tensor.dtype} {list(tensor.shape)}".encode(), value)
        value = crc32c(tensor.contiguous().flatten().view(torch.uint8).numpy(), value)
    return f"{value:08x}"


def to_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Give the content of a file of tensors, their checksum in its metadata."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(tensors, {_CHECKSUM: checksum(tensors)})


def from_bytes(content: bytes, needs_checksum: bool = False) -> dict[str, Tensor]:
    """Give the tensors of a file's content.

    Args:
        needs_checksum: refuse a file without, as others write it, which is taken otherwise.

    Raises:
        ValueError: it is damaged, or none of the format.
    """
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
    noted = metadata.get(_CHECKSUM)
    if noted is None and not needs_checksum:
        return tensors
    if noted != checksum(tensors):
        raise ValueError("its checksum does not fit")
    return tensors
