"""Tensors in the safetensors format that notice damage."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import torch
from crc32c import crc32c
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import Tensor

from gnn_nas.files import open_regular

_CHECKSUM = "crc32c"


def checksum(tensors: Mapping[str, Tensor]) -> str:
    """CRC-32C of tensors on the CPU, their names, types and shapes, as 8 hexadecimal digits."""
    value = 0
    for name, tensor in sorted(tensors.items()):
        value = crc32c(f"{name} {tensor.dtype} {list(tensor.shape)}".encode(), value)
        value = crc32c(tensor.contiguous().flatten().view(torch.uint8).numpy().data, value)
    return f"{value:08x}"


def metadata(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """What a file of these tensors has in its header: their checksum."""
    return {_CHECKSUM: checksum(tensors)}


def to_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Give the content of a file."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(tensors, metadata(tensors))


def from_bytes(content: bytes) -> dict[str, Tensor]:
    """Give the tensors of a file's content, also where it notes no checksum.

    Raises:
        ValueError: it is damaged, or none of the format.
    """
    try:
        tensors = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    length = int.from_bytes(content[:8], "little")
    noted = json.loads(content[8 : 8 + length]).get("__metadata__", {}).get(_CHECKSUM)
    if noted not in (None, checksum(tensors)):
        raise ValueError("its checksum does not fit")
    return tensors


def mapped(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], str | None]:
    """Open a file without reading it, and give its tensors and the checksum that it notes.

    For files that are only ever replaced: tensors change with what they are mapped to.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is none of the format.
    """
    # The library waits at a pipe for ever, and reports a folder in words of its own.
    open_regular(path).close()
    try:
        with safe_open(path, framework="pt") as file:
            return file.get_tensors(), (file.metadata() or {}).get(_CHECKSUM)
    except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(str(error)) from error
