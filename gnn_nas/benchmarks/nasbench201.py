"""NAS-Bench-201 (Dong & Yang 2020): accuracies of its 15,625 cells, asked by row."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from gnn_nas.benchmarks import DATASETS
from gnn_nas.benchmarks.means import MeanBenchmark
from gnn_nas.errors import UserError
from gnn_nas.files import open_regular
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.table import CellTable, load_table

# Bytes that an array of a figure of every cell has at most, with what says what it is.
_LARGEST = 1_000_000


class NASBench201(MeanBenchmark):
    """Accuracies after 200 epochs, see `MeanBenchmark`; ``seconds`` are those of a training."""

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        table: CellTable | None = None,
        dataset: str = DATASETS[NASBENCH201.name][0],
    ) -> Self:
        """Open an ``.npz`` file.

        It has the arrays ``ops`` and of every data set ``_val200``, ``_test200``, ``_seconds200``.

        Raises:
            UserError: it is damaged, holds other cells, or no accuracies.
        """
        path, table = Path(path), table or load_table(NASBENCH201)
        names = {
            "validation": f"{dataset}_val200",
            "test": f"{dataset}_test200",
            "seconds": f"{dataset}_seconds200",
        }
        try:
            with open_regular(path) as stream, np.load(stream, allow_pickle=False) as file:
                # Packed, a few bytes can be any number.
                if any(part.file_size > _LARGEST for part in file.zip.infolist()):
                    raise ValueError("it has more cells than there are")
                ops = np.asarray(file["ops"])
                arrays = {key: np.asarray(file[name]) for key, name in names.items()}
        except Exception as error:  # damaged bytes can raise anything in zipfile and numpy
            raise _unusable(path, f"{type(error).__name__}: {error}") from error
        rows = _rows(path, ops, table)
        figures = {}
        for key, array in arrays.items():
            if array.shape != (len(table),) or array.dtype != np.float32:
                raise _unusable(path, f"its {names[key]} is {array.dtype} {array.shape}")
            values = torch.empty(len(table), dtype=torch.float64)
            values[rows] = torch.from_numpy(array).double()
            figures[key] = values
        for key in ("validation", "test"):
            figures[key] /= 100
            if not bool(((figures[key] >= 0) & (figures[key] <= 1)).all()):
                raise _unusable(path, f"its {names[key]} are no percentages")
        return cls(table, dataset, figures, path)


def _rows(path: Path, ops: np.ndarray, table: CellTable) -> Tensor:
    """Rows of cells given by their ops, each of which must be there once."""
    space = table.space
    if ops.shape != (len(table), space.max_interior) or ops.dtype != np.uint8:
        raise _unusable(path, f"its ops are {ops.dtype} {ops.shape}")
    if int(ops.max()) >= len(space.ops):
        raise _unusable(path, f"it has an op {int(ops.max())}")
    cells = table.cells
    rows = table.rows_of(
        PackedCells(cells.vertices, cells.edges, torch.from_numpy(ops).long(), space)
    )
    if len(rows.unique()) < len(table):
        raise _unusable(path, "it has a cell twice")
    return rows


def _unusable(path: Path, reason: str) -> UserError:
    return UserError(f"{path} is damaged or no NAS-Bench-201 data ({reason}): get the file anew")
