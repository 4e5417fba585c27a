"""Training curves as a picture (the paper's Fig. 3)."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gnn_nas.files import atomic_path


def draw_curves(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw loss parts and token accuracy against steps into a PNG file.

    The structure loss has a panel where the run has one.

    Args:
        rows: of ``metrics.jsonl``, with ``kind`` ``train`` or ``validation``.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    train = [row for row in rows if row.get("kind") == "train"]
    validation = [row for row in rows if row.get("kind") == "validation"]
    losses = {"reconstruction": "Reconstruction loss", "metric": "Metric loss"}
    if any(row.get("structure") for row in train):
        losses["structure"] = "Structure loss"
    panels = len(losses) + 1
    figure, (*loss_axes, right) = plt.subplots(
        1, panels, figsize=(13 * panels / 3, 3.8), layout="constrained"
    )
    for axes, (name, title) in zip(loss_axes, losses.items(), strict=True):
        values = [r.get(name) for r in train]
        axes.plot([r["step"] for r in train], values, color="tab:blue", lw=1, label="training")
        axes.set(title=title, xlabel="step", ylabel="loss")
        # The metric loss may be negative or 0 for long.
        if name != "metric" and _has_logarithm(values):
            axes.set_yscale("log")
    measured = [row for row in validation if "structure_error" in row]
    if "structure" in losses and measured:
        steps = [r["step"] for r in measured]
        errors = [r["structure_error"] for r in measured]
        loss_axes[-1].plot(steps, errors, color="tab:orange", marker="o", label="held-out")
        loss_axes[-1].legend(frameon=False)
    right.plot(
        [r["step"] for r in train],
        [r.get("token_accuracy") for r in train],
        color="tab:gray",
        lw=1,
        label="tokens, training (teacher forcing)",
    )
    for name, label, marker in (
        ("token_accuracy", "tokens, held-out (free-running)", "o"),
        ("exact_match", "whole cells, held-out", "s"),
    ):
        right.plot(
            [r["step"] for r in validation],
            [r.get(name) for r in validation],
            marker=marker,
            label=label,
        )
    right.set(title="Accuracy", xlabel="step", ylabel="share", ylim=(None, 1.02))
    right.legend(frameon=False)
    for axes in (*loss_axes, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)
    plt.close(figure)


def _has_logarithm(values: Iterable[float | None]) -> bool:
    """Whether there is anything to draw on a logarithmic scale."""
    return any(value is not None and 0 < value < math.inf for value in values)
