"""Accuracies of which only means over a cell's trainings are known, by row."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from gnn_nas.benchmarks import TITLES
from gnn_nas.errors import UserError
from gnn_nas.spaces.table import CellTable
from gnn_nas.tensor_file import checksum


class MeanBenchmark:
    """Mean validation and test accuracies on one data set, by table row.

    Args:
        table: the cells; dataset: which; source: what messages call the data.
        figures: of every row, float64 ``[cells]``: ``validation`` and ``test`` accuracies as
            fractions, ``seconds``; NaN where a cell was not measured.

    Attributes:
        allowed: which rows were measured, bool ``[cells]``, None where all were.
    """

    def __init__(
        self, table: CellTable, dataset: str, figures: dict[str, Tensor], source: object
    ) -> None:
        self.table = table.to("cpu")
        self.dataset = dataset
        self.source = source
        self._figures = figures
        measured = ~figures["test"].isnan()
        self.allowed = None if bool(measured.all()) else measured

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.source)!r}, {self.dataset})"

    def __len__(self) -> int:
        """How many cells were measured."""
        return len(self.table) if self.allowed is None else int(self.allowed.sum())

    def all_rows(self) -> Tensor:
        """The rows of all cells of the space, int64 ``[cells]``."""
        return torch.arange(len(self.table))

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
        """Seconds, float64 ``[N]``."""
        return self._figures["seconds"][rows]

    def rank(self, rows: Tensor) -> Tensor:
        """Ranks by test accuracy, int64 ``[N]``: 1 + how many cells are strictly better."""
        means = self._figures["test"]
        known = means[~means.isnan()].sort().values
        return 1 + len(known) - torch.searchsorted(known, means[rows], right=True)

    @cached_property
    def best_test(self) -> float:
        """The highest test accuracy of all cells."""
        return self._figures["test"].nan_to_num(nan=0).max().item()

    @cached_property
    def identity(self) -> str:
        """A line that tells these measurements from others, for the configs of what uses them."""
        return (
            f"{TITLES[self.table.space.name]}, {self.dataset}, {len(self)} cells,"
            f" best {self.best_test:.7f}, checksum {checksum(self._figures)}"
        )
