"""The one way from a search to rewards: every query is counted, checked and written down."""

from __future__ import annotations

import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.objective import Evaluation, Objective, Report
from gnn_nas.search.history import History, Query
from gnn_nas.spaces.table import CellTable


class Queries:
    """Asks an objective for rewards, never twice for a cell, and keeps the history.

    A query is in the history before its reward is used. What the history already holds when a
    search begins is answered from it, so a killed search that runs again from its start comes to
    the point where it was killed without evaluating anything twice.

    Args:
        table: the cell table; isomorphic cells share their row, so a row is a query.
        objective: gives the rewards.
        report: figures that go into the history beside the reward; a search never sees them.
        budget: how many queries may be made, failed ones included.
        history: of an interrupted run of the same search, or an empty one.
    """

    def __init__(
        self,
        table: CellTable,
        objective: Objective,
        report: Report,
        budget: int,
        history: History,
    ) -> None:
        self.budget = min(budget, len(table))
        self.asked = torch.zeros(len(table), dtype=torch.bool)
        self.rows = torch.empty(0, dtype=torch.long)
        """Rows with a reward, in the order of their queries, ``[N]``."""
        self.rewards = torch.empty(0, dtype=torch.float64)
        """Their rewards, ``[N]``."""
        self.round = 0
        self._table = table
        self._objective = objective
        self._report = report
        self._history = history
        self._count = 0

    @property
    def remaining(self) -> int:
        """Queries that may still be made."""
        return self.budget - self._count

    def ask(self, rows: Tensor) -> Tensor:
        """Query cells, as many of them as the budget allows, in one round.

        Shapes:
            - rows: ``[N]``, distinct rows of the cell table, none asked before
            - returns: float64 ``[M]``, ``M <= N``, rewards; NaN where the evaluation failed

        Raises:
            ValueError: a row is asked twice.
            UserError: the history to go on from was written by another search.
        """
        if len(rows.unique()) < len(rows) or bool(self.asked[rows].any()):
            raise ValueError("a search may ask for a cell only once")
        rows = rows[: self.remaining]
        known = self._recorded(rows)
        evaluations = [query.evaluation for query in known]
        fresh = rows[len(known) :]
        if len(fresh):
            new = self._objective.evaluate(fresh)
            self._history.append(self._queries(fresh, new))
            evaluations += new
        rewards = torch.tensor(
            [float("nan") if e.reward is None else e.reward for e in evaluations],
            dtype=torch.float64,
        )
        self.asked[rows] = True
        self._count += len(rows)
        self.round += 1
        there = rewards.isfinite()
        rewards[~there] = torch.nan
        self.rows = torch.cat([self.rows, rows[there]])
        self.rewards = torch.cat([self.rewards, rewards[there]])
        return rewards

    def _recorded(self, rows: Tensor) -> list[Query]:
        recorded = self._history.queries[self._count : self._count + len(rows)]
        for row, query in zip(rows.tolist(), recorded, strict=False):
            if query.module_hash != self._table.hash_of(row) or query.round != self.round:
                raise UserError(
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
                round=self.round,
            )
            for i, (row, evaluation, figures) in enumerate(
                zip(rows.tolist(), evaluations, reports, strict=True)
            )
        ]
