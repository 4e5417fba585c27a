"""How searches went, as pictures: by a benchmark (the paper's Fig. 4) and by real trainings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from gnn_nas.plots.curves import save_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Queries in a moving average: the paper's, and one for the few that are trained.
_PAPER_WINDOW, _WINDOW = 128, 16
_BLUE, _ORANGE = "tab:blue", "tab:orange"
# In percentage points: below it the scale is linear down to 0, the best cell of the space. The
# second best lies 0.083 above.
_LINEAR_BELOW = 0.05
_LEAST_TOP = 1.0


def draw_search_curves(
    path: str | os.PathLike[str],
    reported: list[list[float]],
    queried: list[list[float]],
    best_test: float,
    title: str = "",
) -> None:
    """Draw mean ± standard deviation over seeds into a PNG file. Raises ``OSError``.

    Left, the regret of the cell with the best reward so far; right, the moving average of the
    queried cells. Accuracies are mean test accuracies in percent, NaN where there is none.

    Args:
        reported: for every seed, the accuracy of the best-reward cell after every query.
        queried: for every seed, the accuracy of every queried cell.
        best_test: the highest accuracy of the space.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    regrets = [best_test - np.array(tests, dtype=float) for tests in reported]
    _draw_band(left, _going_on(regrets), lowest=0.0, steps=True)
    left.set_yscale("symlog", linthresh=_LINEAR_BELOW, linscale=0.4)
    top = max(_LEAST_TOP, *(np.nanmax(each, initial=0) for each in regrets))
    ticks = [tick for tick in (0, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if tick <= 1.2 * top]
    left.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    left.set_yticks([], minor=True)
    left.set(title="Best so far", ylabel="test regret (percentage points)", ylim=(0, 1.2 * top))
    averages = [moving_average(tests, _PAPER_WINDOW) for tests in queried]
    _draw_band(right, averages)
    right.set(title=_mean_title(_PAPER_WINDOW, queried).capitalize(), ylabel="test accuracy (%)")
    _count_queries(left, right)
    save_curves(figure, path, title)


def draw_reward_curves(
    path: str | os.PathLike[str],
    best: list[list[float]],
    queried: list[list[float]],
    title: str = "",
) -> None:
    """Draw the best reward so far, and what was queried, into a PNG file. Raises ``OSError``.

    Args:
        best: for every seed the best reward until every query, NaN for none.
        queried: for every seed the reward of every query, NaN where it failed.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_band(left, best, colour=_ORANGE, steps=True)
    left.set(title="Best so far", ylabel="reward")
    for rewards in queried:
        number = np.arange(1, len(rewards) + 1)
        right.scatter(number, rewards, s=8, lw=0, color=_BLUE, alpha=0.35)
    averages = [moving_average(each, _WINDOW) for each in queried]
    _draw_band(right, averages, colour=_ORANGE)
    right.set(title=f"Every query, and the {_mean_title(_WINDOW, queried)}", ylabel="reward")
    _count_queries(left, right)
    save_curves(figure, path, title)


def draw_pareto(
    path: str | os.PathLike[str],
    points: list[tuple[float, float, str]],
    front: list[dict[str, Any]],
    cost: str,
    score: str,
    title: str = "",
) -> None:
    """Draw what cells cost against how good they are into a PNG file. Raises ``OSError``.

    Args:
        points, front: see `gnn_nas.experiments.searches.task_judge.pareto_front`.
        cost, score: labels of the axes.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    costs = np.array([point[0] for point in points])
    scores = np.array([point[1] for point in points])
    axes.scatter(costs, scores, s=12, lw=0, color=_BLUE, alpha=0.5, label="cells trained")
    axes.step(
        [each["cost"] for each in front],
        [each["score"] for each in front],
        where="post",
        color=_ORANGE,
        marker="o",
        ms=4,
        label="not beaten in both",
    )
    axes.set(xlabel=cost, ylabel=score)
    if costs.min() > 0:  # a user's own costs need not be
        axes.set_xscale("log")
        # Of more than two decades the labels between powers of ten would overlap.
        subs = (1, 2, 5) if costs.max() < 100 * costs.min() else (1,)
        axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.12g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    figure.legend(frameon=False, loc="outside lower center", ncols=2)
    save_curves(figure, path, title)


def _mean_title(window: int, curves: Sequence[Sequence[float]]) -> str:
    """What a moving average is of, where no curve may be as long as its window."""
    longest = max(map(len, curves))
    return (
        f"mean of the last {window} queries" if longest > window else "mean of all queries so far"
    )


def _count_queries(*panels: Axes) -> None:
    """Let axes begin at the first query and count in whole ones."""
    from matplotlib.ticker import MaxNLocator

    for axes in panels:
        axes.set_xlabel("queries")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        # One query alone has no axis to begin at.
        if axes.dataLim.x1 > 1:
            axes.set_xlim(1, None)


def moving_average(rewards: Sequence[float] | np.ndarray, window: int) -> np.ndarray:
    """Mean of the last ``window`` values at every value, of fewer at the beginning, without NaN.

    Shapes:
        - rewards, returns: ``[N]``
    """
    values = np.asarray(rewards, dtype=float)
    known = np.isfinite(values)
    sums = np.cumsum(np.where(known, values, 0.0))
    counts = np.cumsum(known).astype(float)
    sums[window:] -= sums[:-window].copy()
    counts[window:] -= counts[:-window].copy()
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0)


def _draw_band(
    axes: Axes,
    curves: Sequence[Iterable[float]],
    lowest: float = -np.inf,
    colour: str = "tab:blue",
    steps: bool = False,
) -> None:
    """Draw mean ± standard deviation over the seeds that know a value, against the query.

    Args:
        curves: of the seeds, from the first query on, NaN where a value is not known.
        lowest: where the band is cut off.
        steps: whether a value stays until the next query, as what was found does.
    """
    columns = zip_longest(*curves, fillvalue=np.nan)
    stacked = np.ma.masked_invalid(np.array(list(columns), dtype=float).reshape(-1, len(curves)).T)
    number = np.arange(1, stacked.shape[1] + 1)
    mean = stacked.mean(0)
    # A value alone is no line.
    marker = "o" if mean.count() == 1 else None
    style = "steps-post" if steps else "default"
    axes.plot(number, mean, color=colour, lw=1.5, marker=marker, drawstyle=style)
    if len(curves) > 1:
        deviation = stacked.std(0, ddof=1).filled(0)
        below = np.maximum(mean - deviation, lowest)
        step: Any = "post" if steps else None
        axes.fill_between(number, below, mean + deviation, color=colour, alpha=0.2, lw=0, step=step)


def _going_on(curves: list[np.ndarray]) -> list[np.ndarray]:
    """Curves of the same length: those that end before the others stay as they were."""
    length = max(map(len, curves))
    return [
        np.pad(curve, (0, length - len(curve)), mode="edge") if len(curve) else curve
        for curve in curves
    ]
