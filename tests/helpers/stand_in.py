"""A search without measurements: what it asks, what judges it, and the fixtures of both."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from gnn_nas.objective import Evaluation
from gnn_nas.search.history import History
from gnn_nas.search.queries import Queries
from gnn_nas.spaces.table import CellTable


class StandIn:
    """Rewards cells by a smooth function of what they are made of, and counts what it evaluates.

    Args:
        table: the cells; failing: share of the cells that cannot be evaluated.
    """

    allowed = None

    def __init__(self, table: CellTable, failing: float = 0.0) -> None:
        cells = table.cells
        convs = ((cells.ops == 0) & cells.has_interior()).sum(1)
        edges = cells.edge_bits().sum(1)
        noise = torch.rand(len(table), generator=torch.Generator().manual_seed(7)).double()
        self.rewards = 0.8 + 0.02 * convs + 0.004 * edges + 0.01 * noise
        self.fails = torch.rand(len(table), generator=torch.Generator().manual_seed(8)) < failing
        self.evaluated: list[int] = []

    def evaluate(self, rows: Tensor) -> list[Evaluation]:
        self.evaluated += rows.tolist()
        return [
            Evaluation(None, math.nan, "out of memory")
            if self.fails[row]
            else Evaluation(self.rewards[row].item(), 60.0 + row)
            for row in rows.tolist()
        ]


class RewardReport:
    """Judges cells by the stand-in's rewards, as under the oracle protocol."""

    columns = ("test", "test_unseen")

    def __init__(self, objective: StandIn) -> None:
        self.rewards = objective.rewards

    def report(self, rows: Tensor) -> Tensor:
        return torch.stack([self.rewards[rows], torch.full((len(rows),), torch.nan)], dim=1)


@pytest.fixture
def make_objective(table) -> Callable[..., StandIn]:
    return lambda failing=0.0: StandIn(table, failing)


@pytest.fixture
def make_report() -> Callable[[StandIn], RewardReport]:
    return RewardReport


@pytest.fixture
def make_queries(table, make_objective, tmp_path) -> Callable[..., Queries]:
    """Gives queries to a stand-in, with a history in a file."""

    def make(
        path: Path | None = None,
        objective: StandIn | None = None,
        report: RewardReport | None = None,
    ) -> Queries:
        objective = objective or make_objective()
        report = report or RewardReport(objective)
        history = History(path or tmp_path / "history.csv", report.columns)
        return Queries(table, objective, report, history)

    return make
