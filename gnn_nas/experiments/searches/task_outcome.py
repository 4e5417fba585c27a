"""What a search by real trainings has found: the figures of every seed, and of all together."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gnn_nas.experiments.searches.outcome import QUERY_COUNTS, best_so_far
from gnn_nas.experiments.searches.seed_figures import over_seeds, without_nan

if TYPE_CHECKING:
    from gnn_nas.search.history import History

# The worst of several seeds: of what is better the larger it is, the smallest.
_WORST = {"reward": min, "accuracy": min, "test": min}
FIGURES = (
    "reward",
    "accuracy",
    "test",
    "parameters",
    "latency",
    "queries_to_best",
    "failures",
    "sd",
    "seconds",
    "wall_seconds",
)
"""Of every seed; all but the last four are those of the cell with the best reward."""


def rewards_so_far(history: History) -> list[float]:
    """The best reward until every query, NaN for none."""
    rewards = _rewards(history)
    return [math.nan if best is None else rewards[best] for best in best_so_far(rewards)]


def task_outcome(history: History, budget: int) -> dict[str, Any]:
    """The figures of one seed, in the task's own units; ``None`` for what is not known.

    Held-out data is not among them: whoever ends the search adds it.

    Args:
        history: of the seed, ended; budget: of queries, which a method need not spend.
    """
    queries = history.queries
    rewards = _rewards(history)
    best = best_so_far(rewards)
    found = best[-1] if best else None
    known = [reward for reward in rewards if reward is not None]
    after = {count: best[min(count, len(best)) - 1] for count in QUERY_COUNTS if count <= budget}
    figures = {
        "reward": None if found is None else rewards[found],
        "test": None,
        "queries_to_best": None if found is None else found + 1,
        "reward_at": {
            str(count): None if place is None else rewards[place] for count, place in after.items()
        },
        "queries": len(queries),
        "failures": len(queries) - len(known),
        "sd": statistics.stdev(known) if len(known) > 1 else None,
        "seconds": math.fsum(query.evaluation.seconds for query in queries),
        "hash": None if found is None else queries[found].module_hash,
    }
    for place, name in enumerate(history.report_columns):
        figures[name] = None if found is None else queries[found].report[place]
    return without_nan(figures)


def task_spreads(outcomes: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean, standard deviation and worst of every figure that all seeds have."""
    spreads = {
        name: over_seeds([each[name] for each in outcomes], _WORST.get(name, max))
        for name in FIGURES
    }
    spreads["reward_at"] = {
        count: over_seeds([each["reward_at"][count] for each in outcomes], min)
        for count in outcomes[0]["reward_at"]
    }
    return spreads


def pareto_front(points: Iterable[tuple[float, float, str]]) -> list[dict[str, Any]]:
    """Cells that no other beats in both, cheapest first.

    Args:
        points: cost, which is to be small, score, which is to be large, and module hash; a point
            with a NaN is left out.
    """
    front: list[dict[str, Any]] = []
    known = [point for point in points if not math.isnan(point[0] + point[1])]
    for cost, score, module_hash in sorted(known, key=lambda point: (point[0], -point[1])):
        if not front or score > front[-1]["score"]:
            front.append({"hash": module_hash, "cost": cost, "score": score})
    return front


def _rewards(history: History) -> list[float | None]:
    return [query.evaluation.reward for query in history.queries]
