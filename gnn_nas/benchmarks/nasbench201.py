"""NAS-Bench-201 (Dong & Yang 2020): accuracies of its 15,625 cells, asked by row."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from gnn_nas.benchmarks import DATASETS
from gnn_nas.errors import UserError
from gnn_nas.files import open_regular
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.table import CellTable, load_table
from gnn_nas.tensor_file import checksum

# Bytes that an array of a figure of every cell has at most, with what says what it is.
_LARGEST = 1_000_000


class NASBench201:
    """Accuracies after 200 epochs on one data set, means over a cell's trainings, by table row.

    Args:
        table: the cells; dataset: one of `DATASETS`; source: what messages call the data.
        figures: of every row, float64 ``[15625]``: ``validation`` and ``test`` accuracies as
            fractions, training ``seconds``.
    """

    allowed = None
    """All cells are measured."""

    def __init__(
        self, table: CellTable, dataset: str, figures: dict[str, Tensor], source: object
    ) -> None:
        self.table = table.to("cpu")
        self.dataset = dataset
        self.source = source
        self._figures = figures

    def __repr__(self) -> str:
        return f"NASBench201({str(self.source)!r}, {self.dataset})"

    def __len__(self) -> int:
        return len(self.table)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        table: CellTable | None = None,
        dataset: str = DATASETS[0],
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

    def all_rows(self) -> Tensor:
        """The rows of all cells, int64 ``[cells]``."""
        return torch.arange(len(self))

    def mean_test(self, rows: Tensor) -> Tensor:
        """Test accuracy, float64 ``[N]``."""
        return self._figures["test"][rows]

    def validation(self, rows: Tensor) -> Tensor:
        """Validation accuracy, float64 ``[N]``."""
        return self._figures["validation"][rows]

    def test(self, rows: Tensor) -> Tensor:
        """Raise :class:`UserError`: of single trainings nothing is known."""
        raise UserError(f"{self.source} has means over a cell's trainings only")

    unseen_test = test

    def seconds(self, rows: Tensor) -> Tensor:
        """Seconds that a training took, float64 ``[N]``."""
        return self._figures["seconds"][rows]

    def rank(self, rows: Tensor) -> Tensor:
        """Ranks by test accuracy, int64 ``[N]``: 1 + how many cells are strictly better."""
        means = self._figures["test"]
        better = torch.searchsorted(means.sort().values, means[rows], right=True)
        return 1 + len(self) - better

    @cached_property
    def best_test(self) -> float:
        """The highest test accuracy of all cells."""
        return self._figures["test"].max().item()

    @cached_property
    def identity(self) -> str:
        """A line that tells these measurements from others, for the configs of what uses them."""
        return (
            f"NAS-Bench-201, {self.dataset}, {len(self)} cells, best {self.best_test:.7f},"
            f" checksum {checksum(self._figures)}"
        )


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
