"""The figures of the paper's Fig. 1 as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def locality_text(figures: Mapping[str, Any]) -> str:
    """Give tables of what ``summary.json`` of ``locality`` has of the parts that were made."""
    blocks = []
    if "a" in figures:
        blocks.append(_distances(figures["a"]))
    if "b" in figures:
        rows = figures["b"]["by_distance"]
        header = "(b) difference of mean test accuracy, points"
        columns = {"mean": "mean", "median": "median", "quarter": "25 %", "three_quarters": "75 %"}
        values = ([row[name] for name in columns] for row in rows)
        blocks.append(_block(header, columns.values(), values, rows))
    if "c" in figures:
        each = [figure["by_distance"] for figure in figures["c"].values()]
        means = ([row["mean"] for row in at] for at in zip(*each, strict=True))
        header = "(c) cosine similarity of embeddings, mean"
        blocks.append(_block(header, figures["c"], means, each[0]))
    if correlations := _correlations(figures):
        blocks.append(correlations)
    return "\n\n".join(blocks) + "\n"


def _distances(figures: Mapping[str, Any]) -> str:
    lines = [
        f"(a) edit distance of {figures['pairs']:,} random pairs, mean {figures['mean']:.2f}",
        f"{'edits':>8}{'here':>10}{'paper':>10}{'standard errors apart':>24}",
    ]
    for row in figures["ratios"]:
        shares = f"{row['ratio']:>10.4f}{row['paper']:>10.4f}"
        lines.append(f"{row['distance']:>8}{shares}{row['standard_errors_apart']:>24.2f}")
    return "\n".join(lines)


def _block(
    header: str,
    names: Iterable[str],
    values: Iterable[Iterable[float]],
    rows: Iterable[Mapping[str, Any]],
) -> str:
    names = list(names)
    widths = [max(10, len(name) + 2) for name in names]
    titles = "".join(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))
    lines = [header, f"{'edits':>8}{titles}"]
    for row, figures in zip(rows, values, strict=True):
        texts = (f"{each:>{width}.3f}" for each, width in zip(figures, widths, strict=True))
        lines.append(f"{row['distance']:>8}{''.join(texts)}")
    return "\n".join(lines)


def _correlations(figures: Mapping[str, Any]) -> str:
    named = {}
    if "b" in figures:
        named["(b) difference of mean test accuracy"] = figures["b"]
    for name, figure in figures.get("c", {}).items():
        named[f"(c) cosine similarity, {name}"] = figure
    if not named:
        return ""
    width = max(40, *(len(name) + 2 for name in named))
    title = "Spearman's rho with the edit distance"
    lines = [f"{title:{width}}{'even pairs':>14}{'random pairs':>14}"]
    for name, figure in named.items():
        both = (figure["spearman"], figure["spearman_random_pairs"])
        lines.append(f"{name:{width}}" + "".join(f"{each:>14.3f}" for each in both))
    return "\n".join(lines)
