"""The paper's Table 1, ours beside theirs, as a picture."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from gnn_nas.experiments.table1.paper import NAMES, TABLE_COLUMNS, Column, Spread
from gnn_nas.experiments.table1.table import Row
from gnn_nas.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_APART = 0.17
# Of a panel's width, which points and their deviations take up.
_SHARE = 0.8


def draw_table1(path: str | os.PathLike[str], rows: list[Row], title: str) -> None:
    """Draw every figure of the table as mean ± deviation into a PNG file. Raises ``OSError``.

    A panel for every column, a line for every loss: ours above, the paper's below.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 1.6 + 0.42 * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(TABLE_COLUMNS), sharey=True)
    for axes, column in zip(panels, TABLE_COLUMNS, strict=True):
        ours = [row.ours.get(column.key, (None, None)) for row in rows]
        theirs = [row.paper[column.key] for row in rows]
        _draw(axes, ours, -_APART, column, color="tab:blue", label="ours")
        _draw(axes, theirs, _APART, column, color="0.55", label="paper (protocol validation)")
        axes.set_title(column.title, fontsize=10)
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        for line in range(1, len(rows)):
            axes.axhline(line - 0.5, color="0.9", lw=0.8, zorder=0)
        if column.key == "rank":
            axes.set_xscale("log")
        _leave_room(axes)
    panels[0].set_yticks(range(len(rows)), [NAMES[row.loss] for row in rows])
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title, fontsize=11)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)


def _draw(
    axes: Axes, spreads: list[Spread], shift: float, column: Column, color: str, label: str
) -> None:
    means = [math.nan if mean is None else mean for mean, _ in spreads]
    deviations = [deviation or 0.0 for _, deviation in spreads]
    # No rank is less than 1, and an axis of logarithms has no place for it.
    lowest = 1.0 if column.key == "rank" else 0.0
    below = [min(d, max(m - lowest, 0)) for m, d in zip(means, deviations, strict=True)]
    places = [line + shift for line in range(len(spreads))]
    axes.errorbar(
        means,
        places,
        xerr=[below, deviations],
        fmt="o",
        ms=5,
        lw=1.3,
        color=color,
        label=label,
    )
    for mean, place in zip(means, places, strict=True):
        if not math.isnan(mean):
            axes.text(
                1,
                place,
                f"{mean:.{column.decimals[0]}f}",
                transform=axes.get_yaxis_transform(),
                ha="right",
                va="center",
                fontsize=7,
                color=color,
            )


def _leave_room(axes: Axes) -> None:
    """Keep the right end of a panel for its numbers."""
    scale = axes.xaxis.get_transform()
    low, high = scale.transform(axes.get_xlim())
    wider = scale.inverted().transform(low + (high - low) / _SHARE)
    axes.set_xlim(right=float(wider))
