"""Figures of several seeds put together, whatever they are figures of."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from gnn_nas.errors import UserError

if TYPE_CHECKING:
    from gnn_nas.experiments.searches.config import SearchConfig
    from gnn_nas.run_folder import RunFolder
    from gnn_nas.search.history import History


def seed_outcomes(
    folder: RunFolder,
    config: SearchConfig,
    histories: list[History],
    outcome: Callable[[History], dict[str, Any]],
) -> list[dict[str, Any]]:
    """The figures of every seed of an ended search, with its number and its time.

    Args:
        histories: of the seeds, in order; outcome: gives the figures of one.

    Raises:
        UserError: the summary of a seed cannot be read.
    """
    return [
        {
            "seed": seed,
            **outcome(history),
            "wall_seconds": seed_summary(folder, seed)["wall_seconds"],
        }
        for seed, history in zip(config.all_seeds, histories, strict=True)
    ]


def seed_summary(folder: RunFolder, seed: int) -> dict[str, Any]:
    """What a seed has left when it was done: ``queries`` and ``wall_seconds``, among others.

    Raises:
        UserError: the summary cannot be read, or lacks one of the two.
    """
    controller = folder.controller(seed)
    summary = controller.load_summary()
    queries, seconds = summary.get("queries"), summary.get("wall_seconds")
    if type(queries) is not int or type(seconds) not in (int, float) or not 0 <= seconds < math.inf:
        raise UserError(
            f"{controller.summary} is no summary of a search's seed: delete {controller.path}, and"
            " --resume to make it anew"
        )
    return summary


def best_outcome(outcomes: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The outcome with the best reward, the first of equal ones; None where no seed has one."""
    found = [outcome for outcome in outcomes if outcome["reward"] is not None]
    return max(found, key=lambda outcome: outcome["reward"], default=None)


def over_seeds(
    values: list[float | None], worst: Callable[[Iterable[float]], float]
) -> dict[str, float | None]:
    """Mean, standard deviation and worst of one figure; ``None`` where a seed lacks it."""
    if any(value is None for value in values):
        return {"mean": None, "std": None, "worst": None}
    return {
        "mean": statistics.fmean(values),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "worst": worst(values),
    }


def without_nan(figures: dict[str, Any]) -> dict[str, Any]:
    """The same figures with ``None`` for NaN, as what is not known."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in figures.items()
    }
