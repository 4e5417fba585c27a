"""What a search has found: the figures of every seed, and of all of them together."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import torch

from gnn_nas.experiments.searches.seed_figures import over_seeds, without_nan

if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.search.history import History
    from gnn_nas.spaces.table import CellTable

QUERY_COUNTS = (50, 100, 150, 200, 300, 500)
"""Numbers of queries after which the test accuracy is noted."""

# What is the worst of several seeds.
_WORST: dict[str, Callable[[Iterable[float]], float]] = {
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
}
_MAY_MISS = ("first_rank_2", "first_best")


class Ranking(Protocol):
    """How good the cells of the space are (`gnn_nas.benchmarks.nasbench101.NASBench101`)."""

    best_test: float

    def rank(self, rows: Tensor) -> Tensor:
        """Ranks of cells by mean test accuracy, from 1, int64 ``[N]``."""


def best_so_far(rewards: Iterable[float | None]) -> list[int | None]:
    """For every query the position of the best reward until then, the first of equal ones.

    It is ``None`` as long as all evaluations have failed.
    """
    best, highest, positions = None, -math.inf, []
    for position, reward in enumerate(rewards):
        if reward is not None and math.isfinite(reward) and reward > highest:
            best, highest = position, reward
        positions.append(best)
    return positions


def reported_tests(history: History) -> list[float]:
    """Mean test accuracy, in percent, of the best-reward cell after every query, NaN for none."""
    tests = queried_tests(history)
    best = best_so_far(query.evaluation.reward for query in history.queries)
    return [math.nan if position is None else tests[position] for position in best]


def queried_tests(history: History) -> list[float]:
    """Mean test accuracy, in percent, of every cell queried."""
    return _reported(history, "test")


def seed_outcome(
    history: History, budget: int, table: CellTable, ranking: Ranking
) -> dict[str, Any]:
    """The figures of one seed; accuracies in percent, ``None`` for what is not known.

    The cell with the best reward is what the search reports: ``test``, ``test_unseen``, ``regret``,
    ``rank`` and ``queries_to_best`` are its. ``best_test`` is the best of all that were queried.

    Args:
        history: of the seed, ended; budget: of queries, which a method need not spend.
    """
    queries = history.queries
    tests, unseen = queried_tests(history), _reported(history, "test_unseen")
    best = best_so_far(query.evaluation.reward for query in queries)
    reported = best[-1] if best else None
    rows = torch.tensor([table.row_of_hash(query.module_hash) for query in queries]).long()
    ranks = ranking.rank(rows).tolist()
    known = [test for test in tests if not math.isnan(test)]
    seconds = math.fsum(query.evaluation.seconds for query in queries)
    after = {count: best[min(count, len(best)) - 1] for count in QUERY_COUNTS if count <= budget}
    found = reported is not None
    figures = {
        "test": tests[reported] if found else None,
        "test_unseen": unseen[reported] if found else None,
        "best_test": max(known, default=None),
        "queries_to_best": reported + 1 if found else None,
        "regret": 100 * ranking.best_test - tests[reported] if found else None,
        "rank": ranks[reported] if found else None,
        "sd": statistics.stdev(known) if len(known) > 1 else None,
        "test_at": {
            str(count): None if position is None else tests[position]
            for count, position in after.items()
        },
        "first_rank_2": _first(rank <= 2 for rank in ranks),
        "first_best": _first(rank == 1 for rank in ranks),
        "queries": len(queries),
        "seconds": seconds,
        "hash": queries[reported].module_hash if found else None,
        "reward": queries[reported].evaluation.reward if found else None,
    }
    return without_nan(figures)


def aggregated(outcomes: list[dict[str, Any]], budget: int) -> dict[str, Any]:
    """Mean, standard deviation and worst of every figure over the seeds.

    Where a seed misses ``first_rank_2`` or ``first_best`` its budget stands for it, so the mean is
    a lower bound; ``reached`` says how many did not miss.
    """
    spreads: dict[str, Any] = {}
    for name, worst in _WORST.items():
        values = [outcome.get(name) for outcome in outcomes]
        if name in _MAY_MISS:
            reached = sum(value is not None for value in values)
            values = [budget if value is None else value for value in values]
            spreads[name] = {**over_seeds(values, worst), "reached": reached}
        else:
            spreads[name] = over_seeds(values, worst)
    spreads["test_at"] = {
        count: over_seeds([outcome["test_at"][count] for outcome in outcomes], min)
        for count in outcomes[0]["test_at"]
    }
    return spreads


def summarised(outcomes: list[dict[str, Any]], budget: int) -> dict[str, Any]:
    """The content of ``summary.json``: the main figures' means, all spreads, every seed."""
    spreads = aggregated(outcomes, budget)
    return {
        "best_test_mean": spreads["best_test"]["mean"],
        "best_test_std": spreads["best_test"]["std"],
        **{name: spreads[name]["mean"] for name in ("queries_to_best", "regret", "rank", "sd")},
        "test_at": {count: spread["mean"] for count, spread in spreads["test_at"].items()},
        "aggregated": spreads,
        "per_seed": outcomes,
    }


def _reported(history: History, column: str) -> list[float]:
    index = history.report_columns.index(column)
    return [100 * query.report[index] for query in history.queries]


def _first(hits: Iterable[bool]) -> int | None:
    return next((number for number, hit in enumerate(hits, start=1) if hit), None)
