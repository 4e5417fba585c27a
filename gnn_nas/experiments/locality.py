"""The paper's Fig. 1, part by part: what is measured, its table, picture and figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import spearmanr

from gnn_nas.evaluation.cell_pairs import CellPairs, ratios
from gnn_nas.files import to_csv, write_text
from gnn_nas.models.controller import Controller
from gnn_nas.plots.locality_figures import (
    draw_differences,
    draw_distances,
    draw_similarities,
)
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.space import CellSpace

if TYPE_CHECKING:
    from gnn_nas.benchmarks.protocols import Benchmark


def report_distances(
    folder: Path, pairs: CellPairs, space: CellSpace = NASBENCH101
) -> dict[str, Any]:
    """Write ``a-distances``: how many random pairs are how far apart (Fig. 1a). ``OSError``.

    Returns:
        the mean distance and, for 1 to 6 and more than 6, the shares here and in the paper; of
        other spaces than the paper's the shares of all distances
    """
    distance = pairs.distance.numpy()
    beside = ratios(pairs.distance) if space == NASBENCH101 else []
    draw_distances(folder / "a-distances.png", distance, beside, space)
    paper = {each.distance: each.paper for each in beside}
    counts = np.bincount(distance)[1:].tolist()
    lines = [
        (at, count, count / len(pairs), paper.get(str(at), ""))
        for at, count in enumerate(counts, start=1)
    ]
    header = ("edit_distance", "pairs", "ratio", "paper_ratio")
    write_text(folder / "a-distances.csv", to_csv([header, *lines]))
    return {
        "pairs": len(pairs),
        "mean": distance.mean(),
        "ratios": list(map(asdict, beside))
        or [{"distance": str(at), "pairs": count, "ratio": share} for at, count, share, _ in lines],
    }


def report_differences(
    folder: Path, even: CellPairs, random: CellPairs, benchmark: Benchmark
) -> dict[str, Any]:
    """Write ``b-differences``: differences of performance by edit distance (Fig. 1b). ``OSError``.

    Performance is the mean test accuracy of all trainings of a cell, in percent.

    Args:
        even: as many pairs at each distance; drawn and written.
        random: for a second correlation, in which every distance has its natural share.

    Returns:
        Spearman's correlations with the edit distance, and mean and spread at every distance
    """
    accuracy = 100 * benchmark.mean_test(benchmark.all_rows()).numpy()
    difference, beside = (np.abs(accuracy[p.first] - accuracy[p.second]) for p in (even, random))
    figures = _figures(even, difference, random, beside)
    picture = folder / "b-differences.png"
    draw_differences(
        picture, even.distance.numpy(), difference, figures["spearman"], benchmark.table.space
    )
    columns = {
        "first_test_accuracy": accuracy[even.first],
        "second_test_accuracy": accuracy[even.second],
        "difference": difference,
    }
    _write_pairs(folder / "b-differences.csv", benchmark.table, even, columns)
    return figures


def report_similarities(
    folder: Path,
    even: CellPairs,
    random: CellPairs,
    table: CellIndex,
    controllers: dict[str, Controller],
) -> dict[str, Any]:
    """Write ``c-similarities``: cosine similarities by edit distance (Fig. 1c). ``OSError``.

    Args:
        even, random: as of `report_differences`.
        controllers: by what they are called in the picture and in the table.

    Returns:
        for every controller, the same figures as those of `report_differences`
    """
    similarities: dict[str, np.ndarray] = {}
    reported: dict[str, dict[str, Any]] = {}
    for name, controller in controllers.items():
        similarities[name] = _similarity(controller, table, even)
        beside = _similarity(controller, table, random)
        reported[name] = _figures(even, similarities[name], random, beside)
    draw_similarities(
        folder / "c-similarities.png",
        even.distance.numpy(),
        similarities,
        [each["spearman"] for each in reported.values()],
        table.space,
    )
    _write_pairs(folder / "c-similarities.csv", table, even, similarities)
    return reported


def _similarity(controller: Controller, table: CellIndex, pairs: CellPairs) -> np.ndarray:
    """Cosine similarities of the embeddings, which have unit length, float64 ``[N]``."""
    first, second = (
        controller.encode_rows(table, rows).double() for rows in (pairs.first, pairs.second)
    )
    return (first * second).sum(1).numpy()


def _figures(
    even: CellPairs, values: np.ndarray, random: CellPairs, random_values: np.ndarray
) -> dict[str, Any]:
    return {
        "spearman": _spearman(even, values),
        "spearman_random_pairs": _spearman(random, random_values),
        "by_distance": _by_distance(even, values),
    }


def _spearman(pairs: CellPairs, values: np.ndarray) -> float:
    """Rank correlation with the edit distance; NaN where either is the same for all pairs."""
    distance = pairs.distance.numpy()
    if min(np.ptp(distance), np.ptp(values)) == 0:
        return float("nan")
    return spearmanr(distance, values).statistic.item()


def _by_distance(pairs: CellPairs, values: np.ndarray) -> list[dict[str, float]]:
    """Mean and spread of the values at every distance."""
    rows = []
    for at in pairs.distance.unique().tolist():
        group = values[pairs.distance.numpy() == at]
        quarter, median, three_quarters = np.percentile(group, (25, 50, 75))
        rows.append(
            {
                "distance": at,
                "pairs": len(group),
                "mean": group.mean(),
                "std": group.std(ddof=1) if len(group) > 1 else float("nan"),
                "quarter": quarter,
                "median": median,
                "three_quarters": three_quarters,
            }
        )
    return rows


def _write_pairs(
    path: Path, table: CellIndex, pairs: CellPairs, columns: dict[str, np.ndarray]
) -> None:
    """A line for every pair, cells by their module hashes, values rounded."""
    first, second = (map(table.hash_of, rows.tolist()) for rows in (pairs.first, pairs.second))
    values = (column.round(6).tolist() for column in columns.values())
    lines = zip(pairs.distance.tolist(), first, second, *values, strict=True)
    write_text(path, to_csv([("edit_distance", "first", "second", *columns), *lines]))


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
    ]
    has_paper = any("paper" in row for row in figures["ratios"])
    beside = f"{'paper':>10}{'standard errors apart':>24}" if has_paper else ""
    lines.append(f"{'edits':>8}{'here':>10}{beside}")
    for row in figures["ratios"]:
        beside = f"{row['paper']:>10.4f}{row['standard_errors_apart']:>24.2f}" if has_paper else ""
        lines.append(f"{row['distance']:>8}{row['ratio']:>10.4f}{beside}")
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
