"""Training curves as a picture (the paper's Fig. 3), and how any curves are saved."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# What tells rewards from embeddings, by its figure.
_PREDICTORS = {
    "tau_knn": "nearest neighbours",
    "tau_ridge": "ridge regression",
    "tau_gp": "Gaussian process",
}


def draw_curves(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw loss parts and token accuracy against steps into a PNG file.

    The losses of structure and of function, and what embeddings tell of labels, have a panel where
    the run has them.

    Args:
        rows: of ``metrics.jsonl``, with ``kind`` ``train`` or ``validation``.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    train = [row for row in rows if row.get("kind") == "train"]
    validation = [row for row in rows if row.get("kind") == "validation"]
    losses = {"reconstruction": "Reconstruction loss", "metric": "Metric loss"}
    for name in ("structure", "function"):
        if any(row.get(name) for row in train):
            losses[name] = f"{name.title()} loss"
    looked_at = [row for row in validation if "tau_gp" in row]
    panels = len(losses) + 1 + bool(looked_at)
    figure = Figure(figsize=(13 * panels / 3, 4.2), layout="constrained")
    all_axes = list(figure.subplots(1, panels))
    loss_axes, right = all_axes[: len(losses)], all_axes[len(losses)]
    for axes, (name, title) in zip(loss_axes, losses.items(), strict=True):
        _draw(axes, train, name, _marker(train), color="tab:blue", lw=1, label="training")
        axes.set(title=title, xlabel="step", ylabel="loss")
        # The metric loss may be negative or 0 for long.
        if name != "metric" and _has_logarithm(row.get(name) for row in train):
            axes.set_yscale("log")
    measured = [row for row in validation if "structure_error" in row]
    if "structure" in losses and measured:
        axes = loss_axes[list(losses).index("structure")]
        _draw(axes, measured, "structure_error", "o-", color="tab:orange", label="held-out")
        _legend(axes)
    label = "tokens, training (teacher forcing)"
    _draw(right, train, "token_accuracy", _marker(train), color="tab:gray", lw=1, label=label)
    for name, label, marker in (
        ("token_accuracy", "tokens, held-out (free-running)", "o-"),
        ("exact_match", "whole cells, held-out", "s-"),
    ):
        _draw(right, validation, name, marker, label=label)
    right.set(title="Accuracy", xlabel="step", ylabel="share", ylim=(None, 1.02))
    _legend(right)
    if looked_at:
        axes = all_axes[-1]
        for name, label in _PREDICTORS.items():
            _draw(axes, looked_at, name, "o-", label=label)
        axes.set(title="Rewards by embeddings alone", xlabel="step", ylabel="Kendall's τ")
        _legend(axes)
    for axes in all_axes:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    save_curves(figure, path)


def save_curves(figure: Figure, path: str | os.PathLike[str], title: str = "") -> None:
    """Write a figure of plain axes on a grid as a PNG file. Raises ``OSError``."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    if title:
        letters = 11 * figure.get_figwidth()  # in a line of 10 points
        figure.suptitle(title, fontsize=10 * min(1, letters / len(title)))
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)


def _draw(axes: Axes, rows: list[dict[str, Any]], name: str, form: str, **style: Any) -> None:
    """Draw a figure of the rows, where they have it, against their steps."""
    axes.plot([row["step"] for row in rows], [row.get(name) for row in rows], form, **style)


def _marker(points: Sequence[Any]) -> str:
    """A line, or a dot where there is only one point."""
    return "-" if len(points) > 1 else "o"


def _legend(axes: Axes) -> None:
    """A legend below the axes, where it covers nothing."""
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=9)


def _has_logarithm(values: Iterable[float | None]) -> bool:
    """Whether there is anything to draw on a logarithmic scale."""
    return any(value is not None and 0 < value < math.inf for value in values)
