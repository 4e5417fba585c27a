"""The paper's Fig. 1, part by part: what is measured, its table, picture and figures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.evaluation.cell_pairs import CellPairs, ratios
from gnn_nas.files import to_csv, write_text
from gnn_nas.models.controller import Controller
from gnn_nas.plots.locality_figures import (
    draw_differences,
    draw_distances,
    draw_similarities,
)
from gnn_nas.spaces.table import CellTable


def report_distances(folder: Path, pairs: CellPairs) -> dict[str, Any]:
    """Write ``a-distances``: how many random pairs are how far apart (Fig. 1a). ``OSError``.

    Returns:
        the mean distance and, for 1 to 6 and more than 6, the shares here and in the paper
    """
    distance = pairs.distance.numpy()
    beside = ratios(pairs.distance)
    draw_distances(folder / "a-distances.png", distance, beside)
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
        "ratios": [
            {**asdict(each), "standard_errors_apart": each.standard_errors_apart} for each in beside
        ],
    }


def report_differences(
    folder: Path, even: CellPairs, random: CellPairs, benchmark: NASBench101
) -> dict[str, Any]:
    """Write ``b-differences``: differences of performance by edit distance (Fig. 1b). ``OSError``.

    Performance is the mean test accuracy of three trainings of 108 epochs, in percent.

    Args:
        even: as many pairs at each distance; drawn and written.
        random: for a second correlation, in which every distance has its natural share.

    Returns:
        Spearman's correlations with the edit distance, and mean and spread at every distance
    """
    accuracy = 100 * benchmark.mean_test(benchmark.all_rows()).numpy()
    difference = np.abs(accuracy[even.first] - accuracy[even.second])
    draw_differences(
        folder / "b-differences.png",
        even.distance.numpy(),
        difference,
        _spearman(even, difference),
    )
    columns = {
        "first_test_accuracy": accuracy[even.first],
        "second_test_accuracy": accuracy[even.second],
        "difference": difference,
    }
    _write_pairs(folder / "b-differences.csv", benchmark.table, even, columns)
    beside = np.abs(accuracy[random.first] - accuracy[random.second])
    return _figures(even, difference, random, beside)


def report_similarities(
    folder: Path,
    even: CellPairs,
    random: CellPairs,
    table: CellTable,
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
    )
    _write_pairs(folder / "c-similarities.csv", table, even, similarities)
    return reported


def _similarity(controller: Controller, table: CellTable, pairs: CellPairs) -> np.ndarray:
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
    path: Path, table: CellTable, pairs: CellPairs, columns: dict[str, np.ndarray]
) -> None:
    """A line for every pair, cells by their module hashes, values rounded."""
    first, second = (map(table.hash_of, rows.tolist()) for rows in (pairs.first, pairs.second))
    values = (column.round(6).tolist() for column in columns.values())
    lines = zip(pairs.distance.tolist(), first, second, *values, strict=True)
    write_text(path, to_csv([("edit_distance", "first", "second", *columns), *lines]))
