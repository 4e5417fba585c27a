"""The way from a search's cells to rewards: every query is checked and written down."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.objective import Evaluation, Objective, Report
from gnn_nas.search.history import History, Query
from gnn_nas.search.searcher import Searcher
from gnn_nas.spaces.index import CellIndex


class ForeignHistory(UserError):
    """The history to go on from was written by another search."""


class Queries:
    """Evaluates cells by an objective, and keeps the history.

    A query is in the history before its reward is used. What the history already holds when a
    search begins is answered from it, so a killed search that runs again from its start comes to
    the point where it was killed without evaluating anything twice.

    Args:
        table: the cells; objective: gives the rewards.
        report: figures that go into the history beside the reward; a search never sees them.
        history: of an interrupted run of the same search, or an empty one.
    """

    def __init__(
        self, table: CellIndex, objective: Objective, report: Report, history: History
    ) -> None:
        self._table = table
        self._objective = objective
        self._report = report
        self._history = history
        self._round = 0
        self._count = 0

    def spend(
        self,
        searcher: Searcher,
        proposing: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Evaluate what a searcher proposes, round by round, until its budget or it has ended.

        Args:
            proposing: what the method is called in.

        Raises:
            ForeignHistory: the one to go on from was written by another search.
        """
        while True:
            with proposing():
                rows = searcher.propose()
            if not len(rows):
                return
            searcher.tell(rows, self.evaluate(rows))

    def evaluate(self, rows: Tensor) -> Tensor:
        """Evaluate cells in one round.

        Shapes:
            - rows: int64 ``[N]``, distinct rows of the cell table, none evaluated before
            - returns: float64 ``[N]``, rewards; NaN where the evaluation failed

        Raises:
            ForeignHistory: the one to go on from was written by another search.
        """
        known = self._recorded(rows)
        evaluations = [query.evaluation for query in known]
        fresh = rows[len(known) :]
        if len(fresh):
            new = self._objective.evaluate(fresh)
            self._history.append(self._queries(fresh, new))
            evaluations += new
        self._count += len(rows)
        self._round += 1
        rewards = [math.nan if each.reward is None else each.reward for each in evaluations]
        return torch.tensor(rewards, dtype=torch.float64)

    def _recorded(self, rows: Tensor) -> list[Query]:
        recorded = self._history.queries[self._count : self._count + len(rows)]
        for row, query in zip(rows.tolist(), recorded, strict=False):
            if query.module_hash != self._table.hash_of(row) or query.round != self._round:
                raise ForeignHistory(
                    f"{self._history.path}: query {query.number} is not the one this search makes:"
                    " the history was written by another version or on another machine;"
                    " start anew with another --out"
                )
        return recorded

    def _queries(self, rows: Tensor, evaluations: list[Evaluation]) -> list[Query]:
        reports = self._report.report(rows).tolist()
        start = len(self._history.queries) + 1
        return [
            Query(
                number=start + i,
                module_hash=self._table.hash_of(row),
                evaluation=evaluation,
                report=tuple(figures),
                round=self._round,
            )
            for i, (row, evaluation, figures) in enumerate(
                zip(rows.tolist(), evaluations, reports, strict=True)
            )
        ]
