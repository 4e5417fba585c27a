"""Figures of a seed and over seeds, whatever they are figures of."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnn_nas.search.history import History

Worst = Callable[[Iterable[float]], float | None]
"""What is the worst of several seeds: ``min`` of what is better the larger it is, else ``max``."""

QUERY_COUNTS = (50, 100, 150, 200, 300, 500)
"""Numbers of queries after which what was found is noted."""


def rewards_of(history: History) -> list[float | None]:
    """The reward of every query; None where it failed."""
    return [query.evaluation.reward for query in history.queries]


def rewards_so_far(history: History) -> list[float]:
    """The best reward until every query, NaN for none."""
    rewards = rewards_of(history)
    return with_nan(None if best is None else rewards[best] for best in best_so_far(rewards))


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


def found_after_counts(
    values: Sequence[float | None], best: Sequence[int | None], budget: int
) -> dict[str, float | None]:
    """The best query's value after each of `QUERY_COUNTS` within the budget, by that number.

    Args:
        values: of every query; best: see `best_so_far`; both may end before the budget.
    """
    after = {count: best[min(count, len(best)) - 1] for count in QUERY_COUNTS if count <= budget}
    return {str(count): None if at is None else values[at] for count, at in after.items()}


def best_outcome(outcomes: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The outcome with the best reward, the first of equal ones; None where no seed has one."""
    found = [outcome for outcome in outcomes if outcome["reward"] is not None]
    return max(found, key=lambda outcome: outcome["reward"], default=None)


def spreads(outcomes: list[dict[str, Any]], worst: Mapping[str, Worst]) -> dict[str, Any]:
    """`over_seeds` of every figure that ``worst`` names; by number where it has several."""
    by_name: dict[str, Any] = {}
    for name, worst_of in worst.items():
        values = [outcome[name] for outcome in outcomes]
        if isinstance(values[0], dict):
            by_name[name] = {
                count: over_seeds([each[count] for each in values], worst_of) for count in values[0]
            }
        else:
            by_name[name] = over_seeds(values, worst_of)
    return by_name


def over_seeds(values: list[float | None], worst: Worst) -> dict[str, float | None]:
    """Mean, standard deviation and worst of one figure; ``None`` where a seed lacks it."""
    if any(value is None for value in values):
        return {"mean": None, "std": None, "worst": None}
    return {
        "mean": statistics.fmean(values),
        "std": deviation(values),
        "worst": worst(values),
    }


def deviation(values: Sequence[float]) -> float | None:
    """The standard deviation; ``None`` of less than two values."""
    return statistics.stdev(values) if len(values) > 1 else None


def with_nan(values: Iterable[float | None]) -> list[float]:
    """The same values with NaN for ``None``."""
    return [math.nan if value is None else value for value in values]


def without_nan(figures: dict[str, Any]) -> dict[str, Any]:
    """The same figures with ``None`` for NaN, as what is not known."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in figures.items()
    }
