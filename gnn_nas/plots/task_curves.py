"""How a search by real trainings went, as pictures."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from gnn_nas.plots.search_curves import (
    count_queries,
    draw_band,
    mean_title,
    moving_average,
    save_curves,
)

_WINDOW = 16
_BLUE, _ORANGE = "tab:blue", "tab:orange"


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
    draw_band(left, best, colour=_ORANGE, steps=True)
    left.set(title="Best so far", ylabel="reward")
    for rewards in queried:
        number = np.arange(1, len(rewards) + 1)
        right.scatter(number, rewards, s=8, lw=0, color=_BLUE, alpha=0.35)
    averages = [moving_average(np.array(each, float), _WINDOW) for each in queried]
    draw_band(right, averages, colour=_ORANGE)
    right.set(title=f"Every query, and the {mean_title(_WINDOW, queried)}", ylabel="reward")
    count_queries(left, right)
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
    if costs.max() > 0:  # a user's own costs need not be
        axes.set_xscale("log")
        # Of more than two decades the labels between powers of ten would overlap.
        subs = (1, 2, 5) if costs.max() < 100 * costs.min() else (1,)
        axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.12g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    figure.legend(frameon=False, loc="outside lower center", ncols=2)
    save_curves(figure, path, title)
