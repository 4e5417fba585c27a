"""The paper's Fig. 1 as pictures: random pairs by edit distance, and what goes with distance."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gnn_nas.evaluation.cell_pairs import Ratio
from gnn_nas.files import atomic_path
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.space import CellSpace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

# Dark and light in grey, and told apart by colour-blind readers.
_NEAR, _FAR = "#E07B00", "#A6D8F5"
_LINE, _HERE, _MEAN = "#333333", "#0072B2", "#000000"
_DISTANCE = "edit distance (edits)"
# Least difference of accuracy that is drawn, in percentage points: the lowest end of a logarithmic
# scale, where equal accuracies go too.
_LEAST_DIFFERENCE = 0.01
_PANELS_A_ROW = 3
_LEGEND_WIDTH = 8  # inches
# A panel holds a name of so many letters in points of their height.
_NAME_LETTERS = 500


def draw_distances(
    path: str | os.PathLike[str],
    distance: np.ndarray,
    beside: list[Ratio],
    space: CellSpace = NASBENCH101,
) -> None:
    """Draw Fig. 1a into a PNG file: distances of random pairs, and beside the paper's. ``OSError``.

    Args:
        beside: the paper's; of another space there are none.

    Shapes:
        - distance: ``[N]``
    """
    figure = _figure(10 if beside else 5.5, 4.4)
    panels = figure.subplots(1, 2 if beside else 1, squeeze=False)[0]
    left = panels[0]
    shares = 100 * np.bincount(distance, minlength=2) / len(distance)
    at = np.arange(1, len(shares))
    nearest = 2 * space.max_edits
    positive = at <= nearest
    bars = left.bar(at, shares[1:], color=np.where(positive, _NEAR, _FAR), edgecolor=_LINE)
    left.bar_label(bars, [_percent(share) for share in shares[1:]], fontsize=7, padding=2)
    left.set(
        title=f"{len(distance):,} random pair{'s' if len(distance) > 1 else ''}",
        xlabel=_DISTANCE,
        ylabel="pairs (%)",
    )
    left.set_xticks(at)
    left.margins(y=0.1)
    named = {_NEAR: f"at most {nearest} edits (positives)", _FAR: f"more than {nearest}"}
    _legend_below(left, handles=[_patch(*each) for each in named.items()])
    if beside:
        _draw_beside(panels[1], beside)
    _save(figure, path)


def draw_differences(
    path: str | os.PathLike[str],
    distance: np.ndarray,
    difference: np.ndarray,
    spearman: float,
    space: CellSpace = NASBENCH101,
) -> None:
    """Draw Fig. 1b into a PNG file: difference of performance by edit distance. ``OSError``.

    Shapes:
        - distance: ``[N]``; difference: ``[N]``, in percentage points
    """
    figure = _figure(8, 4.2)
    axes = figure.subplots()
    _violins(axes, distance, np.log10(np.maximum(difference, _LEAST_DIFFERENCE)), space)
    groups = [difference[distance == at] for at in np.unique(distance)]
    means = np.log10([max(group.mean(), _LEAST_DIFFERENCE) for group in groups])
    _mark_means(axes, distance, means)
    ticks = np.array([0.01, 0.1, 1, 10, 100])
    axes.set_yticks(np.log10(ticks), [f"{tick:g}" for tick in ticks])
    minor = [math.log10(digit * tick) for tick in ticks[:-1] for digit in range(2, 10)]
    axes.set_yticks(minor, minor=True)
    axes.set(
        title=f"Difference of performance, Spearman's ρ = {_signed(spearman)}",
        xlabel=_DISTANCE,
        ylabel="difference of mean test accuracy\n(percentage points)",
        ylim=(np.log10(_LEAST_DIFFERENCE), 2),
    )
    _legend(figure, axes)
    _save(figure, path)


def draw_similarities(
    path: str | os.PathLike[str],
    distance: np.ndarray,
    similarities: dict[str, np.ndarray],
    spearmans: Sequence[float],
    space: CellSpace = NASBENCH101,
) -> None:
    """Draw Fig. 1c into a PNG file: similarity of embeddings by edit distance. ``OSError``.

    Args:
        similarities: cosine similarities by what a checkpoint is called, a panel each.

    Shapes:
        - distance, similarities: ``[N]``
    """
    columns = min(len(similarities), _PANELS_A_ROW)
    rows = math.ceil(len(similarities) / columns)
    figure = _figure(max(6.5, 5 * columns), 4.1 * rows)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes in panels.flat[len(similarities) :]:
        axes.remove()
    for axes, (name, similarity), spearman in zip(
        panels.flat, similarities.items(), spearmans, strict=False
    ):
        _violins(axes, distance, similarity, space)
        means = [similarity[distance == at].mean() for at in np.unique(distance)]
        _mark_means(axes, distance, np.array(means))
        axes.set_title(
            f"{name}\nSpearman's ρ = {_signed(spearman)}",
            fontsize=min(12, _NAME_LETTERS / len(name)),
            parse_math=False,  # a folder's name may have dollars
        )
        axes.set_xlabel(_DISTANCE)
    for axes in panels[:, 0]:
        axes.set_ylabel("cosine similarity of embeddings")
    _legend(figure, panels[0, 0])
    _save(figure, path)


def _draw_beside(axes: Axes, beside: list[Ratio]) -> None:
    """Ours with three standard errors, and the paper's, on a scale that has 0 as well."""
    at = np.arange(len(beside))
    ours = 100 * np.array([each.ratio for each in beside])
    paper = 100 * np.array([each.paper for each in beside])
    three = 300 * np.array([each.standard_error for each in beside])
    axes.errorbar(
        at - 0.12,
        ours,
        [np.minimum(three, ours), three],
        fmt="o",
        ms=6,
        color=_HERE,
        capsize=4,
        label="here, ± 3 standard errors of the difference",
    )
    axes.plot(at + 0.12, paper, "D", ms=6, mfc="none", color=_MEAN, label="the paper")
    axes.set_yscale("symlog", linthresh=0.01, linscale=0.5)
    ticks = (0, 0.01, 0.1, 1, 10, 100)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks(at, [each.distance for each in beside])
    axes.set(title="Beside the paper's Fig. 1a", xlabel=_DISTANCE, ylabel="pairs (%)")
    axes.set(ylim=(-0.002, 200))
    _legend_below(axes)


def _violins(axes: Axes, distance: np.ndarray, values: np.ndarray, space: CellSpace) -> None:
    """A kernel density estimate, the middle half and the median for every distance."""
    for at in np.unique(distance).tolist():
        group = values[distance == at]
        colour = _NEAR if at <= space.max_edits else _FAR
        if np.ptp(group) > 0:  # a density needs values that differ
            drawn: Any = axes.violinplot([group], [at], widths=0.85, showextrema=False)
            drawn["bodies"][0].set(fc=colour, ec=_LINE, lw=0.8, alpha=1)
        low, middle, high = np.percentile(group, (25, 50, 75))
        axes.vlines(at, low, high, color=_LINE, lw=4)
        axes.plot(at, middle, "_", color="white", ms=7, mew=1.5)
    axes.set_xticks(np.unique(distance))


def _mark_means(axes: Axes, distance: np.ndarray, means: np.ndarray) -> None:
    axes.plot(np.unique(distance), means, "D-", color=_MEAN, mfc="white", ms=4, lw=1.2, zorder=4)


def _legend(figure: Figure, axes: Axes) -> None:
    from matplotlib.lines import Line2D

    handles = [
        _patch(_NEAR, "density, pairs made by edits"),
        _patch(_FAR, "density, random pairs"),
        Line2D([], [], color=_LINE, lw=5, marker="|", mec="white", label="middle half, median"),
        Line2D([], [], color=_MEAN, marker="D", mfc="white", ms=4, lw=1.2, label="mean"),
    ]
    # All in a row need the width of two panels.
    ncols = 4 if figure.get_figwidth() >= _LEGEND_WIDTH else 2
    options: dict[str, Any] = {"loc": "outside lower center", "ncols": ncols, "frameon": False}
    figure.legend(handles=handles, fontsize=9, **options)


def _legend_below(axes: Axes, **options: list[Patch]) -> None:
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.15), **options)


def _patch(colour: str, label: str) -> Patch:
    from matplotlib.patches import Patch

    return Patch(fc=colour, ec=_LINE, label=label)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Figure, path: str | os.PathLike[str]) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", alpha=0.3)
        axes.set_axisbelow(True)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)


def _percent(share: float) -> str:
    return f"{share:.2f}" if share < 1 else f"{share:.1f}"


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
