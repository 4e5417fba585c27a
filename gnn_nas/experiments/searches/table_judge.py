"""Searches in a table of the user's own, judged by the rewards that stand in it."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import torch

from gnn_nas.experiments.searches.figures import (
    Worst,
    best_so_far,
    deviation,
    found_after_counts,
    rewards_of,
    rewards_so_far,
    spreads,
    with_nan,
    without_nan,
)
from gnn_nas.experiments.searches.judge import Judge
from gnn_nas.experiments.searches.workers import TableSource, Workers
from gnn_nas.plots.search_curves import draw_reward_curves

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gnn_nas.benchmarks.own_table import OwnTable
    from gnn_nas.experiments.searches.config import TableSearchConfig
    from gnn_nas.run_folder import RunFolder
    from gnn_nas.search.history import History

_OF_BEST = ("seed", "hash", "reward", "rank", "reports")


class TableJudge(Judge):
    """Judges cells by their rewards in a table; its other columns are told of what is found.

    Args:
        benchmark: the table; workers: search.
    """

    percent, width = False, 14

    def __init__(
        self, config: TableSearchConfig, benchmark: OwnTable, workers: Workers | None = None
    ) -> None:
        self.config = config
        self.benchmark = benchmark
        self.table = benchmark.table
        self.columns = benchmark.columns
        self.source = TableSource(benchmark.source, config.reward, self.table.space)
        self.again = benchmark.objective_and_report()
        self.labels = {
            "reward": f"{config.reward} of the cell found",
            "regret": "regret to the table's best cell",
            "rank": "rank among the table's cells",
            "queries_to_best": "queries until it was found",
            "reports": "its {}",
            "failures": "failed evaluations",
            "sd": f"standard deviation of {config.reward}",
            "wall_seconds": "seconds of computation",
            "reward_at": "after {} queries",
        }
        self._workers = workers

    def opened(self, folder: RunFolder) -> AbstractContextManager[Workers]:
        """Let the workers search, which stay."""
        return nullcontext(self._workers)

    def outcome(self, history: History) -> dict[str, Any]:
        """The figures of one seed: see `gnn_nas.experiments.searches.judge.Judge`.

        All but ``failures``, ``sd`` and ``seconds`` are of the cell with the best reward.
        """
        queries, rewards = history.queries, rewards_of(history)
        best = best_so_far(rewards)
        at = best[-1] if best else None
        known = [reward for reward in rewards if reward is not None]
        figures = {
            "reward": None,
            "regret": None,
            "rank": None,
            "queries_to_best": None,
            "reports": dict.fromkeys(self.columns),
            "reward_at": found_after_counts(rewards, best, self.config.queries),
            "queries": len(queries),
            "failures": len(queries) - len(known),
            "sd": deviation(known),
            "seconds": math.fsum(query.evaluation.seconds for query in queries),
            "hash": None,
        }
        if at is not None:
            found = queries[at]
            row = torch.tensor([self.table.row_of_hash(found.module_hash)])
            reports = dict(zip(self.columns, found.report, strict=True))
            figures |= {
                "reward": rewards[at],
                "regret": self.benchmark.best - rewards[at],
                "rank": int(self.benchmark.rank(row)),
                "queries_to_best": at + 1,
                "reports": without_nan(reports),
                "hash": found.module_hash,
            }
        return without_nan(figures)

    def aggregated(self, outcomes: list[dict[str, Any]]) -> dict[str, Any]:
        """Mean, standard deviation and worst of every figure that all seeds have."""
        worst: dict[str, Worst] = dict.fromkeys(self.labels, max)
        return spreads(outcomes, worst | {"reward": min, "reward_at": min, "reports": _unknown})

    def conclude(
        self,
        folder: RunFolder,
        histories: list[History],
        outcomes: list[dict[str, Any]],
        best: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """Draw the curves."""
        draw_reward_curves(
            folder.search_curves,
            [rewards_so_far(history) for history in histories],
            [with_nan(rewards_of(history)) for history in histories],
            self.config.title,
        )
        return {
            "best": best and {key: best[key] for key in _OF_BEST},
            "best_reward_of_table": self.benchmark.best,
            "aggregated": self.aggregated(outcomes),
            "per_seed": outcomes,
        }

    def caption(self, best: dict[str, Any]) -> str:
        """Its reward, rank and hash."""
        return f"{self.config.reward} {best['reward']:g}, rank {best['rank']}, {best['hash']}"

    def shown(self, figure: float) -> str:
        """Decimals where they matter: figures may be shares, or numbers of parameters."""
        return f"{figure:.4f}" if abs(figure) < 100 else f"{figure:,.0f}"


def _unknown(_: Iterable[float]) -> None:
    """Of a column that is no reward nobody says whether much of it is good."""
