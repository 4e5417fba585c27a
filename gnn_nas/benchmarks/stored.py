"""The compact file that an import makes, and how it is opened."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gnn_nas.benchmarks.figures import EPOCHS, FULL_EPOCHS, TRIALS, Column, Figures, dtype_of
from gnn_nas.benchmarks.records import FIGURES
from gnn_nas.errors import UserError, reported
from gnn_nas.files import atomic_path
from gnn_nas.spaces.table import CellTable
from gnn_nas.tensor_file import checksum

# Names the checksum in the metadata; a change of what is stored must change it.
_FORMAT = "gnn_nas NAS-Bench-101 1"
_DTYPES = {torch.float64: "F64", torch.float32: "F32", torch.int32: "I32", torch.uint8: "U8"}
_PARAMETERS, _HASHES = "trainable_parameters", "module_hash"


def save_figures(path: Path, figures: Figures, table: CellTable) -> None:
    """Write all figures atomically. Raises UserError."""
    arrays = {str(column): array for column, array in figures.columns.items()}
    arrays |= {_PARAMETERS: figures.parameters, _HASHES: table.module_hash.cpu()}
    with (
        reported(f"cannot write {path}"),
        atomic_path(path) as temporary,
        temporary.open("wb") as stream,
    ):
        _write(stream, arrays, {_FORMAT: checksum(arrays)})


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
            f"{path} is damaged or no NAS-Bench-101 data ({error}): make it by gnn-nas import"
        ) from error
    if _FORMAT not in metadata:
        raise UserError(f"{path} was not made by this version of gnn-nas import: import again")
    if metadata[_FORMAT] != checksum(arrays):
        raise UserError(f"{path} is damaged (its checksum does not fit): import again")
    columns = _columns(arrays)
    expected: dict[str, Any] = {
        **{name: (dtype_of(column.figure), (len(table),)) for name, column in columns.items()},
        _PARAMETERS: (torch.int32, (len(table),)),
        _HASHES: (torch.uint8, (len(table), 16)),
    }
    if {name: (a.dtype, tuple(a.shape)) for name, a in arrays.items()} != expected:
        raise UserError(f"{path} is about other cells or figures than those of NAS-Bench-101")
    if not arrays.pop(_HASHES).equal(table.module_hash.cpu()):
        raise UserError(f"{path} is about other cells than the cell table: import again")
    parameters = arrays.pop(_PARAMETERS)
    return Figures.of_trials(parameters, {column: arrays[name] for name, column in columns.items()})


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


def _columns(names: Collection[str]) -> dict[str, Column]:
    """The columns that a file must have: all of 108 epochs, or where it has others of all budgets.

    By the names of their arrays.
    """
    only_full = all(name.count("/") == 0 or f"/{FULL_EPOCHS}/" in name for name in names)
    budgets = (FULL_EPOCHS,) if only_full else EPOCHS
    columns = (
        Column(figure, epochs, trial)
        for epochs in budgets
        for figure in FIGURES
        for trial in range(TRIALS)
    )
    return {str(column): column for column in columns}
