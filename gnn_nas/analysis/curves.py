"""Training curves as a picture (the paper's Fig. 3)."""

from pathlib import Path
from typing import Any

from gnn_nas.files import atomic_path


def draw_curves(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw loss parts and token accuracy against steps into a PNG file.

    Args:
        rows: of ``metrics.jsonl``, with ``kind`` ``train`` or ``validation``.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    train = [row for row in rows if row["kind"] == "train"]
    validation = [row for row in rows if row["kind"] == "validation"]
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    for axes, name, title in (
        (left, "reconstruction", "Reconstruction loss"),
        (middle, "metric", "Metric loss"),
    ):
        axes.plot([r["step"] for r in train], [r[name] for r in train], color="tab:blue", lw=1)
        axes.set(title=title, xlabel="step", ylabel="loss")
    left.set_yscale("log")
    right.plot(
        [r["step"] for r in train],
        [r["token_accuracy"] for r in train],
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
            [r[name] for r in validation],
            marker=marker,
            label=label,
        )
    right.set(title="Accuracy", xlabel="step", ylabel="share", ylim=(None, 1.02))
    right.legend(frameon=False)
    for axes in (left, middle, right):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)
    plt.close(figure)
