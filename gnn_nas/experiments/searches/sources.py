"""Where the rewards of a search come from: a benchmark's measurements, or real trainings."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gnn_nas.objective import Evaluation, Objective, Report

if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.spaces.table import CellTable
    from gnn_nas.tasks.evaluator import Evaluated

Ask = Callable[[object], object]
"""Asks the process that started this one."""


class Source(Protocol):
    """What every process of a search opens; must survive pickling."""

    def open(self, ask: Ask) -> tuple[CellTable, Objective, Report]:
        """The cells, what the search may see of them, and what it must not. Raises UserError."""


@dataclass(frozen=True)
class BenchmarkSource:
    """The measurements of NAS-Bench-101.

    Args:
        path: where they are: see `gnn_nas.benchmarks.locate.find_benchmark`.
        protocol: one of `gnn_nas.benchmarks.protocols.PROTOCOLS`.
    """

    path: str | os.PathLike[str] | None
    protocol: str

    def open(self, ask: Ask) -> tuple[CellTable, Objective, Report]:
        """Open them; nothing is asked."""
        from gnn_nas.benchmarks.locate import find_benchmark
        from gnn_nas.benchmarks.protocols import objective_and_report

        benchmark = find_benchmark(self.path)
        return benchmark.table, *objective_and_report(benchmark, self.protocol)


@dataclass(frozen=True)
class TrainingSource:
    """Trainings, made where the search was started; all seeds share what is known there."""

    def open(self, ask: Ask) -> tuple[CellTable, Objective, Report]:
        """Open the cells; their evaluations are asked for one round at a time."""
        from gnn_nas.spaces.table import load_table

        trainings = Trainings(ask)
        return load_table(), trainings, trainings


class Trainings:
    """Rewards cells by trainings made in another process; an `Objective` and its `Report`.

    Args:
        ask: gives a list of `gnn_nas.tasks.evaluator.Evaluated` for a list of rows.
    """

    def __init__(self, ask: Ask) -> None:
        from gnn_nas.tasks.task import COLUMNS

        self.columns = COLUMNS
        self._ask = ask
        self._figures: dict[int, tuple[float, ...]] = {}

    def evaluate(self, rows: Tensor) -> list[Evaluation]:
        """Evaluate cells: see `gnn_nas.objective.Objective`."""
        asked = rows.tolist()
        answers: list[Evaluated] = self._ask(asked)
        for row, answer in zip(asked, answers, strict=True):
            self._figures[row] = answer.figures
        return [answer.evaluation for answer in answers]

    def report(self, rows: Tensor) -> Tensor:
        """The figures of cells that were evaluated: see `gnn_nas.objective.Report`."""
        import torch

        return torch.tensor(
            [self._figures[row] for row in rows.tolist()], dtype=torch.float64
        ).reshape(-1, len(self.columns))
