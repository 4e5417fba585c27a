"""What is known of the cells: columns of figures, whatever they were read from."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from gnn_nas.benchmarks.records import FIGURES
from gnn_nas.benchmarks.rows import module_hashes
from gnn_nas.errors import UserError
from gnn_nas.spaces.table import CellTable
from gnn_nas.tensor_file import checksum

TRIALS = 3
FULL_EPOCHS = 108
EPOCHS = (4, 12, 36, FULL_EPOCHS)
"""The budgets of NAS-Bench-101, the shorter ones only in ``nasbench_full.tfrecord``."""

_short = reprlib.Repr()
# A foreign file can hold anything of any length; a hash is shown in full.
_short.maxstring = 40


class Column(NamedTuple):
    """One figure (of `gnn_nas.benchmarks.records.FIGURES`) of one training of every cell."""

    figure: str
    epochs: int
    trial: int

    def __str__(self) -> str:
        return f"{self.figure}/{self.epochs}/{self.trial}"


def dtype_of(figure: str) -> torch.dtype:
    """Of its columns: accuracies are float32 in the official files, seconds may not be."""
    return torch.float64 if figure.endswith("time") else torch.float32


@dataclass(frozen=True)
class Figures:
    """Measurements in the order of the cell table's rows; a column that is unknown is not there.

    Shapes:
        - parameters: int32 ``[cells]``, trainable parameters of the network
        - columns: floating point ``[cells]`` each, NaN where a cell was not measured
        - mean_test, unseen_test: float64 ``[cells]``, mean final test accuracy after 108 epochs of
          all three trials, and of all but the first
    """

    parameters: Tensor
    columns: dict[Column, Tensor]
    mean_test: Tensor
    unseen_test: Tensor

    @classmethod
    def of_trials(cls, parameters: Tensor, columns: dict[Column, Tensor]) -> Self:
        """Figures of columns that hold all trials of 108 epochs."""
        first, *others = (
            columns[Column("final_test_accuracy", FULL_EPOCHS, trial)].double()
            for trial in range(TRIALS)
        )
        unseen: Any = sum(others)
        return cls(parameters, columns, (first + unseen) / TRIALS, unseen / len(others))

    def checksum(self) -> str:
        """Tells these figures from all others, in 8 hexadecimal digits."""
        return checksum(
            {
                "parameters": self.parameters,
                "mean_test": self.mean_test,
                "unseen_test": self.unseen_test,
                **{str(column): values for column, values in self.columns.items()},
            }
        )

    def refuse_impossible(self, cells: int) -> None:
        """Raise ``ValueError``, which names the first of them, for figures that no training gives.

        Args:
            cells: their number; columns are judged by those that were measured.
        """
        for name in ("parameters", "mean_test", "unseen_test"):
            values = getattr(self, name).double()
            if not (values > 0).all():
                raise ValueError(f"its {name} is no positive number for some cells")
            _refuse_impossible(name, values, cells, math.inf if name == "parameters" else 1)
        for column, values in self.columns.items():
            name = f"{column.figure} of trial {column.trial} at {column.epochs} epochs"
            most = 1 if column.figure.endswith("accuracy") else math.inf
            _refuse_impossible(name, values, cells, most)


class Collector:
    """Takes trainings one by one; a cell's first one at a budget is its trial 0, and so on.

    Args:
        table: the cells that are expected, three trainings each at every budget.
    """

    def __init__(self, table: CellTable) -> None:
        # Memory views, here and below: single elements are read and set several times faster than
        # in an array.
        self.hashes = module_hashes(table)
        self.rows = {module_hash: row for row, module_hash in enumerate(self.hashes)}
        self.parameters = memoryview(np.zeros(len(self.rows), np.int32))
        self.budgets: dict[int, _Budget] = {}
        self.found = 0

    def add(self, module_hash: str, epochs: int, parameters: int, values: Sequence[float]) -> None:
        """Take one training, its values in the order of `FIGURES`.

        Raises:
            ValueError: no cell has the hash, the budget is none of NAS-Bench-101, or the cell had
                other parameters in another training.
        """
        row = self.rows.get(module_hash)
        if row is None:
            raise ValueError(
                f"no cell of NAS-Bench-101 has its module hash {_short.repr(module_hash)}"
            )
        budget = self.budgets.get(epochs)
        if budget is None:
            budget = self._begin(epochs)
        self.found += 1
        if self.parameters[row] not in (0, parameters):
            raise ValueError(
                f"its {parameters:,} parameters are {self.parameters[row]:,} in another training"
                f" of the same cell, {module_hash}"
            )
        self.parameters[row] = parameters
        trial = budget.counts[row]
        budget.counts[row] = trial + 1
        if trial < TRIALS:
            for column, value in zip(budget.columns[trial], values, strict=True):
                column[row] = value

    def finish(self, source: object) -> Figures:
        """Give the columns.

        Raises:
            UserError: trainings are missing or surplus; names ``source``.
        """
        # The smaller official file has one budget, the other all four.
        expected = EPOCHS if self.budgets.keys() - {FULL_EPOCHS} else (FULL_EPOCHS,)
        for epochs in expected:
            budget = self.budgets.get(epochs) or self._begin(epochs)
            wrong = np.flatnonzero(np.asarray(budget.counts) != TRIALS)
            if len(wrong):
                row = wrong[0].item()
                raise UserError(
                    f"{source} is not complete: found {self.found:,} rows, expected"
                    f" {len(expected) * TRIALS * len(self.rows):,}; the first cell that is wrong,"
                    f" {self.hashes[row]}, has {budget.counts[row]} instead of {TRIALS} of"
                    f" {epochs} epochs: get the file anew"
                )
        columns = {
            Column(figure, epochs, trial): torch.from_numpy(np.asarray(column))
            for epochs in expected
            for trial, trained in enumerate(self.budgets[epochs].columns)
            for figure, column in zip(FIGURES, trained, strict=True)
        }
        return Figures.of_trials(torch.from_numpy(np.asarray(self.parameters)), columns)

    def _begin(self, epochs: int) -> _Budget:
        if epochs not in EPOCHS:
            raise ValueError(f"its budget of {_short.repr(epochs)} epochs is none of NAS-Bench-101")
        self.budgets[epochs] = _Budget(len(self.rows))
        return self.budgets[epochs]


class _Budget:
    """Columns of every trial and how many trainings each cell has."""

    def __init__(self, cells: int) -> None:
        self.counts = memoryview(np.zeros(cells, np.int32))
        self.columns: list[list[Any]] = [
            [
                memoryview(torch.full((cells,), math.nan, dtype=dtype_of(figure)).numpy())
                for figure in FIGURES
            ]
            for _ in range(TRIALS)
        ]


def _refuse_impossible(name: str, values: Tensor, cells: int, most: float) -> None:
    if values.shape != (cells,):
        raise ValueError(f"its {name} has the shape {tuple(values.shape)}")
    known = values[~values.isnan()]
    if not len(known):
        return
    low, high = known.min().item(), known.max().item()
    if not (low >= 0 and high <= most and math.isfinite(high)):
        raise ValueError(f"its {name} goes from {low:g} to {high:g}")
    if low == high and len(known) > 1:
        raise ValueError(f"its {name} is {low:g} for all cells")
