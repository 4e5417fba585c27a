"""The compact file that an import makes, and how it is opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, BinaryIO

import torch
from crc32c import crc32c
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gnn_nas.benchmarks.figures import Column, Figures
from gnn_nas.cells.table import CellTable
from gnn_nas.errors import UserError, reported
from gnn_nas.files import atomic_path

# Names the checksum in the metadata; a change of what is stored must change it.
_FORMAT = "gnn_nas NAS-Bench-101 1"
_DTYPES = {torch.float64: "F64", torch.float32: "F32", torch.int32: "I32", torch.uint8: "U8"}
_PARAMETERS, _HASHES = "trainable_parameters", "module_hash"


def save_figures(path: Path, figures: Figures, table: CellTable) -> None:
    """Write all figures atomically. Raises UserError."""
    arrays = {"/".join(map(str, column)): array for column, array in figures.columns.items()}
    arrays |= {_PARAMETERS: figures.parameters, _HASHES: table.module_hash.cpu()}
    with (
        reported(f"cannot write {path}"),
        atomic_path(path) as temporary,
        temporary.open("wb") as stream,
    ):
        _write(stream, arrays, {_FORMAT: _checksum(arrays)})


def load_figures(path: Path, table: CellTable) -> Figures:
    """Open a file made by `save_figures`.

    Raises:
        UserError: the file is missing, damaged or something else, or is about other cells.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            arrays = file.get_tensors()
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{path} is damaged or no NAS-Bench-101 data ({error}): make it by bin/import-nasbench"
        ) from error
    if _FORMAT not in metadata:
        raise UserError(f"{path} was not made by this version of bin/import-nasbench: import again")
    if metadata[_FORMAT] != _checksum(arrays):
        raise UserError(f"{path} is damaged (its checksum does not fit): import again")
    if not arrays.pop(_HASHES).equal(table.module_hash.cpu()):
        raise UserError(f"{path} is about other cells than the cell table: import again")
    parameters = arrays.pop(_PARAMETERS)
    return Figures.of_trials(parameters, {_column(name): array for name, array in arrays.items()})


def _write(stream: BinaryIO, arrays: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write the safetensors format.

    The library would need all arrays in memory twice more, or leave a file of a name that is not
    known behind when it is killed.
    """
    # The widest first, as the format wants them aligned.
    ordered = sorted(arrays.items(), key=lambda item: -item[1].itemsize)
    header: dict[str, Any] = {"__metadata__": metadata}
    offset = 0
    for name, array in ordered:
        end = offset + array.nbytes
        header[name] = {
            "dtype": _DTYPES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    stream.write(len(text).to_bytes(8, "little") + text)
    for _, array in ordered:
        stream.write(array.numpy())


def _column(name: str) -> Column:
    figure, epochs, trial = name.split("/")
    return Column(figure, int(epochs), int(trial))


def _checksum(arrays: dict[str, Tensor]) -> str:
    value = 0
    for name, array in sorted(arrays.items()):
        value = crc32c(f"{name} {array.dtype} {list(array.shape)}".encode(), value)
        value = crc32c(array.view(torch.uint8).numpy(), value)
    return f"{value:08x}"
