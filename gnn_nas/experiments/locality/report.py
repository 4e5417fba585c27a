"""The paper's Fig. 1, part by part: what is measured, its table, picture and figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.evaluation.cell_pairs import CellPairs, ratios
from gnn_nas.files import write_text
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
    _write_csv(
        folder / "a-distances.csv",
        ("edit_distance", "pairs", "ratio", "paper_ratio"),
        (
            (at, count, count / len(pairs), paper.get(str(at), ""))
            for at, count in enumerate(counts, start=1)
        ),
    )
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
    spearman = _spearman(even, difference)
    draw_differences(folder / "b-differences.png", even.distance.numpy(), difference, spearman)
    columns = (accuracy[even.first], accuracy[even.second], difference)
    _write_pairs(
        folder / "b-differences.csv",
        benchmark.table,
        even,
        {
            name: values.round(6)
            for name, values in zip(
                ("first_test_accuracy", "second_test_accuracy", "difference"), columns, strict=True
            )
        },
    )
    return {
        "spearman": spearman,
        "spearman_random_pairs": _spearman(
            random, np.abs(accuracy[random.first] - accuracy[random.second])
        ),
        "by_distance": _by_distance(even, difference),
    }


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
        reported[name] = {
            "spearman": _spearman(even, similarities[name]),
            "spearman_random_pairs": _spearman(random, _similarity(controller, table, random)),
            "by_distance": _by_distance(even, similarities[name]),
        }
    draw_similarities(
        folder / "c-similarities.png",
        even.distance.numpy(),
        similarities,
        [each["spearman"] for each in reported.values()],
    )
    rounded = {name: values.round(6) for name, values in similarities.items()}
    _write_pairs(folder / "c-similarities.csv", table, even, rounded)
    return reported


def _similarity(controller: Controller, table: CellTable, pairs: CellPairs) -> np.ndarray:
    """Cosine similarities of the embeddings, which have unit length, float64 ``[N]``."""
    first, second = (
        controller.encode_rows(table, rows).double() for rows in (pairs.first, pairs.second)
    )
    return (first * second).sum(1).numpy()


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
    """A line for every pair, cells by their module hashes."""
    first, second = (map(table.hash_of, rows.tolist()) for rows in (pairs.first, pairs.second))
    values = (column.tolist() for column in columns.values())
    _write_csv(
        path,
        ("edit_distance", "first", "second", *columns),
        zip(pairs.distance.tolist(), first, second, *values, strict=True),
    )


def _write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, stream.getvalue())
