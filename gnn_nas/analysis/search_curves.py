"""How a search went, as a picture: its regret, and the paper's Fig. 4."""

from __future__ import annotations

import os
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from gnn_nas.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WINDOW = 128
"""Queries in the paper's moving average."""

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
    regrets = [best_test - _array(tests) for tests in reported]
    _draw_band(left, _stacked(regrets, go_on=True), lowest=0.0)
    left.set_yscale("symlog", linthresh=_LINEAR_BELOW, linscale=0.4)
    top = max(_LEAST_TOP, *(np.nanmax(each, initial=0) for each in regrets))
    ticks = [tick for tick in (0, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if tick <= 1.2 * top]
    left.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    left.set_yticks([], minor=True)
    left.set(title="Best so far", ylabel="test regret (percentage points)", ylim=(0, 1.2 * top))
    averages = [moving_average(_array(tests), WINDOW) for tests in queried]
    _draw_band(right, _stacked(averages, go_on=False), lowest=-np.inf)
    right.set(title=f"Mean of the last {WINDOW} queries", ylabel="test accuracy (%)")
    for axes in (left, right):
        axes.set(xlabel="queries", xlim=(1, None))
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    figure.suptitle(title, fontsize=10)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)


def moving_average(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of the last ``window`` values at every value, of fewer at the beginning, without NaN.

    Shapes:
        - values, returns: ``[N]``
    """
    known = np.isfinite(values)
    sums = np.cumsum(np.where(known, values, 0.0))
    counts = np.cumsum(known).astype(float)
    sums[window:] -= sums[:-window].copy()
    counts[window:] -= counts[:-window].copy()
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0)


def _draw_band(axes: Axes, curves: np.ma.MaskedArray, lowest: float) -> None:
    number = np.arange(1, curves.shape[1] + 1)
    mean = curves.mean(0)
    axes.plot(number, mean, color="tab:blue", lw=1.5)
    if len(curves) > 1:
        deviation = curves.std(0, ddof=1).filled(0)
        below = np.maximum(mean - deviation, lowest)
        axes.fill_between(number, below, mean + deviation, color="tab:blue", alpha=0.2, lw=0)


def _stacked(curves: list[np.ndarray], go_on: bool) -> np.ma.MaskedArray:
    """Curves of different lengths as one array; ended ones stay as they were, or are masked."""
    columns = zip_longest(*curves, fillvalue=np.nan)
    stacked = np.array(list(columns), dtype=float).reshape(-1, len(curves)).T
    if go_on:
        for row, curve in zip(stacked, curves, strict=True):
            row[len(curve) :] = curve[-1] if len(curve) else np.nan
    return np.ma.masked_invalid(stacked)


def _array(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=float)
