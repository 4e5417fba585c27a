"""Searches in a benchmark, judged by test accuracies of the whole space."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from gnn_nas.benchmarks.protocols import BenchmarkReport, objective_and_report
from gnn_nas.experiments.searches.figures import (
    best_so_far,
    deviation,
    found_after_counts,
    over_seeds,
    spreads,
    without_nan,
)
from gnn_nas.experiments.searches.judge import Judge
from gnn_nas.experiments.searches.workers import BenchmarkSource, Workers
from gnn_nas.plots.search_curves import draw_search_curves

if TYPE_CHECKING:
    from gnn_nas.benchmarks.protocols import Benchmark
    from gnn_nas.experiments.searches.config import SearchConfig
    from gnn_nas.run_folder import RunFolder
    from gnn_nas.search.history import History

_WORST = {
    "test": min,
    "test_unseen": min,
    "best_test": min,
    "queries_to_best": max,
    "regret": max,
    "rank": max,
    "sd": max,
    "first_rank_2": max,
    "first_best": max,
    "queries": max,
    "seconds": max,
    "wall_seconds": max,
    "test_at": min,
}
_MAY_MISS = ("first_rank_2", "first_best")
_OF_BEST = ("seed", "hash", "reward", "test", "rank")


class BenchmarkJudge(Judge):
    """Judges cells by their mean test accuracies, in percent.

    Args:
        benchmark: the measurements.
        path: where processes are to open them: see `gnn_nas.benchmarks.locate.find_any_benchmark`.
        workers: search.

    Raises:
        UserError: the measurements lack what the protocol rewards cells by.
    """

    columns = BenchmarkReport.columns
    percent, width = True, 10
    labels: ClassVar = {
        "test": "test accuracy of the cell found, %",
        "test_unseen": "the same, trainings never seen, %",
        "regret": "regret to the best cell, points",
        "rank": "rank among all cells",
        "queries_to_best": "queries until it was found",
        "best_test": "best test accuracy queried, %",
        "sd": "standard deviation of those queried",
        "first_rank_2": "queries until rank 2 or 1",
        "first_best": "queries until rank 1",
        "wall_seconds": "seconds of computation",
        "test_at": "after {} queries, %",
    }

    def __init__(
        self,
        config: SearchConfig,
        benchmark: Benchmark,
        path: str | os.PathLike[str] | None,
        workers: Workers | None = None,
    ) -> None:
        self.config = config
        self.table = benchmark.table
        self.source = BenchmarkSource(path, config.protocol, config.dataset)
        self.again = objective_and_report(benchmark, config.protocol)
        self.benchmark = benchmark
        self._workers = workers

    def opened(self, folder: RunFolder) -> AbstractContextManager[Workers]:
        """Let the workers search, which stay."""
        return nullcontext(self._workers)

    def outcome(self, history: History) -> dict[str, Any]:
        """The figures of one seed: see `gnn_nas.experiments.searches.judge.Judge`.

        The cell with the best reward is what the search reports: ``test``, ``test_unseen``,
        ``regret``, ``rank`` and ``queries_to_best`` are its. ``best_test`` is the best of all that
        were queried.
        """
        queries = history.queries
        tests, unseen = _percents(history, "test"), _percents(history, "test_unseen")
        best = best_so_far(query.evaluation.reward for query in queries)
        at = best[-1] if best else None
        rows = torch.tensor([self.table.row_of_hash(query.module_hash) for query in queries]).long()
        ranks = self.benchmark.rank(rows).tolist()
        known = [test for test in tests if not math.isnan(test)]
        found = at is not None
        figures = {
            "test": tests[at] if found else None,
            "test_unseen": unseen[at] if found else None,
            "best_test": max(known, default=None),
            "queries_to_best": at + 1 if found else None,
            "regret": 100 * self.benchmark.best_test - tests[at] if found else None,
            "rank": ranks[at] if found else None,
            "sd": deviation(known),
            "test_at": found_after_counts(tests, best, self.config.queries),
            "first_rank_2": _first(rank <= 2 for rank in ranks),
            "first_best": _first(rank == 1 for rank in ranks),
            "queries": len(queries),
            "seconds": math.fsum(query.evaluation.seconds for query in queries),
            "hash": queries[at].module_hash if found else None,
            "reward": queries[at].evaluation.reward if found else None,
        }
        return without_nan(figures)

    def aggregated(self, outcomes: list[dict[str, Any]]) -> dict[str, Any]:
        """Mean, standard deviation and worst of every figure over the seeds.

        Where a seed misses ``first_rank_2`` or ``first_best`` its budget stands for it, so the mean
        is a lower bound; ``reached`` says how many did not miss.
        """
        over = spreads(outcomes, _WORST)
        for name in _MAY_MISS:
            known = [each[name] for each in outcomes if each[name] is not None]
            missed = [self.config.queries] * (len(outcomes) - len(known))
            over[name] = {**over_seeds(known + missed, _WORST[name]), "reached": len(known)}
        return over

    def conclude(
        self,
        folder: RunFolder,
        histories: list[History],
        outcomes: list[dict[str, Any]],
        best: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """Draw the curves; the main figures' means stand on top of the summary's rest."""
        draw_search_curves(
            folder.search_curves,
            [reported_tests(history) for history in histories],
            [_percents(history, "test") for history in histories],
            100 * self.benchmark.best_test,
            title=self.config.title,
        )
        over = self.aggregated(outcomes)
        return {
            "best_test_mean": over["best_test"]["mean"],
            "best_test_std": over["best_test"]["std"],
            **{name: over[name]["mean"] for name in ("queries_to_best", "regret", "rank", "sd")},
            "test_at": {count: spread["mean"] for count, spread in over["test_at"].items()},
            "aggregated": over,
            "per_seed": outcomes,
            "best": best and {key: best[key] for key in _OF_BEST},
        }

    def caption(self, best: dict[str, Any]) -> str:
        """Its accuracy, rank and hash."""
        return f"{best['test']:.2f} %, rank {best['rank']}, {best['hash']}"

    def shown(self, figure: float) -> str:
        """As many decimals as accuracies of a space differ in."""
        return f"{figure:.3f}"


def reported_tests(history: History) -> list[float]:
    """Mean test accuracy, in percent, of the best-reward cell after every query, NaN for none."""
    tests = _percents(history, "test")
    best = best_so_far(query.evaluation.reward for query in history.queries)
    return [math.nan if at is None else tests[at] for at in best]


def _percents(history: History, column: str) -> list[float]:
    """A figure of every cell queried, in percent."""
    index = history.report_columns.index(column)
    return [100 * query.report[index] for query in history.queries]


def _first(hits: Iterable[bool]) -> int | None:
    return next((number for number, hit in enumerate(hits, start=1) if hit), None)
