"""NAS-Bench-101: what is known of the 423,624 cells, asked by row."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from gnn_nas.benchmarks import STORED_FILE
from gnn_nas.benchmarks.compact import COMPACT_FILE, load_compact
from gnn_nas.benchmarks.figures import EPOCHS, FULL_EPOCHS, TRIALS, Collector, Column, Figures
from gnn_nas.benchmarks.records import FIGURES, begins_record
from gnn_nas.benchmarks.rows import CellRows, Cells
from gnn_nas.benchmarks.stored import load_figures
from gnn_nas.errors import UserError
from gnn_nas.files import open_regular
from gnn_nas.spaces.table import CellTable, load_table


class NASBench101:
    """Measurements by row of the cell table; all tensors that it gives are on the CPU.

    Use `open` or `from_official`, or `gnn_nas.benchmarks.locate.find_benchmark`.

    Args:
        table: the cells; figures: what is known of them; source: what messages call the data.
    """

    allowed = None
    """All cells are measured."""

    def __init__(self, table: CellTable, figures: Figures, source: object) -> None:
        self.table = table.to("cpu")
        self.source = source
        self.epochs = tuple(sorted({column.epochs for column in figures.columns}))
        self._figures = figures
        self._rows = CellRows(self.table)

    def __repr__(self) -> str:
        return f"NASBench101({str(self.source)!r}, epochs={self.epochs})"

    def __len__(self) -> int:
        return len(self.table)

    @classmethod
    def open(cls, path: str | Path, table: CellTable | None = None) -> Self:
        """Open a file made by ``gnn-nas import``, a compact ``.npz``, or a folder of either.

        Raises:
            UserError: there is no such data, it is damaged, or is still to be imported.
        """
        path = file = Path(path)
        if path.is_dir():
            files = [path / name for name in (STORED_FILE, COMPACT_FILE) if (path / name).exists()]
            if not files:
                raise UserError(
                    f"{path}: the folder has neither {STORED_FILE} nor {COMPACT_FILE}: give a"
                    " file made by gnn-nas import"
                )
            file = files[0]
        try:
            with open_regular(file) as stream:
                head = stream.read(12)
        except OSError as error:
            raise UserError(f"{file}: cannot read: {error.strerror}") from None
        if begins_record(head):
            raise UserError(f"{file} must be imported first: run gnn-nas import {file}")
        table = table or load_table()
        figures = (load_compact if head.startswith(b"PK") else load_figures)(file, table)
        try:
            figures.refuse_impossible(len(table))
        except ValueError as error:
            raise UserError(f"{file} holds no measurements ({error}): get the file anew") from None
        return cls(table, figures, path)

    @classmethod
    def from_official(cls, api: Any, table: CellTable | None = None) -> Self:
        """Take the measurements of a loaded official ``nasbench.api.NASBench``.

        Raises:
            UserError: it has not all cells, or others.
        """
        table, source = table or load_table(), "the official NASBench object"
        collector = Collector(table)
        for module_hash, budgets in api.computed_statistics.items():
            parameters = api.fixed_statistics[module_hash]["trainable_parameters"]
            for epochs, trainings in budgets.items():
                for training in trainings:
                    values = [training[figure] for figure in FIGURES]
                    try:
                        collector.add(module_hash, epochs, parameters, values)
                    except ValueError as error:
                        raise UserError(f"{source}: a training is wrong: {error}") from error
        return cls(table, collector.finish(source), source)

    def rows_of(self, cells: Cells) -> Tensor:
        """Rows of cells given as rows, `Data`, `Batch`, hashes or specs: see `CellRows.of`."""
        return self._rows.of(cells)

    def row_of_spec(self, spec: Any) -> int:
        """Row of one ``ModelSpec``, pruned or not, in microseconds: see `CellRows.of_spec`."""
        return self._rows.of_spec(spec)

    def all_rows(self) -> Tensor:
        """The rows of all cells, int64 ``[cells]``."""
        return torch.arange(len(self))

    def parameters(self, rows: Tensor) -> Tensor:
        """Trainable parameters of the networks, int64 ``[N]``."""
        return self._figures.parameters[self.rows_of(rows)].long()

    def mean_test(self, rows: Tensor) -> Tensor:
        """Final test accuracy after 108 epochs, mean of the three trials, float64 ``[N]``."""
        return self._figures.mean_test[self.rows_of(rows)]

    def unseen_test(self, rows: Tensor) -> Tensor:
        """The same mean of trials 1 and 2 only, for a search that saw trial 0."""
        return self._figures.unseen_test[self.rows_of(rows)]

    def test(self, rows: Tensor, trial: int = 0, epochs: int = FULL_EPOCHS) -> Tensor:
        """Final test accuracy of one trial: see `figure`."""
        return self.figure("final_test_accuracy", rows, trial, epochs)

    def validation(self, rows: Tensor, trial: int = 0, epochs: int = FULL_EPOCHS) -> Tensor:
        """Final validation accuracy of one trial: see `figure`."""
        return self.figure("final_validation_accuracy", rows, trial, epochs)

    def training_seconds(self, rows: Tensor, trial: int = 0, epochs: int = FULL_EPOCHS) -> Tensor:
        """Seconds that one training took: see `figure`."""
        return self.figure("final_training_time", rows, trial, epochs)

    def seconds(self, rows: Tensor) -> Tensor:
        """The same of trial 0, NaN where it is not known."""
        return self.figure("final_training_time", rows, absent_as_nan=True)

    def figure(
        self,
        name: str,
        rows: Tensor,
        trial: int = 0,
        epochs: int = FULL_EPOCHS,
        absent_as_nan: bool = False,
    ) -> Tensor:
        """One of `FIGURES` of one training of every cell asked for.

        Shapes:
            - rows: int64 ``[N]``; returns: float64 ``[N]``

        Raises:
            ValueError: there is no such figure, trial or budget in NAS-Bench-101.
            UserError: the data lacks it, and ``absent_as_nan`` is false.
        """
        column = self._column(name, trial, epochs)
        if column is None:
            if not absent_as_nan:
                raise self._absent(name, trial, epochs)
            return torch.full((len(rows),), torch.nan, dtype=torch.float64)
        rows = self.rows_of(rows)
        values = column[rows].double()
        if not absent_as_nan and bool((missing := values.isnan()).any()):
            raise self._absent(name, trial, epochs, rows[missing])
        return values

    def value(self, name: str, row: int, trial: int = 0, epochs: int = FULL_EPOCHS) -> float:
        """The same of a single cell, without the cost of a batch. Raises as `figure`."""
        column = self._column(name, trial, epochs)
        if column is None:
            raise self._absent(name, trial, epochs)
        value = column[row].item()
        if math.isnan(value):
            raise self._absent(name, trial, epochs, torch.tensor([row]))
        return value

    def rank(self, rows: Tensor) -> Tensor:
        """Ranks by mean test accuracy, int64 ``[N]``: 1 + how many cells are strictly better."""
        better = np.searchsorted(self._sorted_means, _comparable(self.mean_test(rows)), "right")
        return 1 + len(self) - torch.from_numpy(better)

    @cached_property
    def best_test(self) -> float:
        """The highest mean test accuracy of all cells."""
        return self._figures.mean_test.max().item()

    @cached_property
    def identity(self) -> str:
        """A line that tells these measurements from others, for the configs of what uses them."""
        return (
            f"NAS-Bench-101, {len(self)} cells, best {self.best_test:.7f},"
            f" checksum {self._figures.checksum()}"
        )

    @cached_property
    def _sorted_means(self) -> np.ndarray:
        return np.sort(_comparable(self._figures.mean_test))

    def _column(self, name: str, trial: int, epochs: int) -> Tensor | None:
        column = self._figures.columns.get(Column(name, epochs, trial))
        if column is None:
            _check("figure", name, FIGURES)
            _check("trial", trial, range(TRIALS))
            _check("number of epochs", epochs, EPOCHS)
        return column

    def _absent(self, name: str, trial: int, epochs: int, rows: Tensor | None = None) -> UserError:
        cells = "" if rows is None else f" for {len(rows):,} of the cells, first for row {rows[0]}"
        file = "nasbench_only108.tfrecord" if epochs == FULL_EPOCHS else "nasbench_full.tfrecord"
        return UserError(
            f"{self.source} lacks {name} of trial {trial} at {epochs} epochs{cells}: import the"
            f" official {file}, which has it, by gnn-nas import"
        )


def _check(what: str, given: object, known: Iterable[object]) -> None:
    if given not in known:
        raise ValueError(
            f"no {what} {given!r} in NAS-Bench-101; known are {', '.join(map(str, known))}"
        )


def _comparable(means: Tensor) -> np.ndarray:
    # Means are multiples of 1/29952: rounding only removes the noise of float32 trials from ties.
    return means.round(decimals=6).numpy()
