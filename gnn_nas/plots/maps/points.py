"""The points of maps as a CSV file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.files import to_csv, write_text
from gnn_nas.plots.maps.colours import accuracies, number_of_edges, number_of_vertices
from gnn_nas.plots.maps.embedding_map import EmbeddingMap
from gnn_nas.spaces.table import CellTable

COLUMNS = (
    "checkpoint",
    "row",
    "module_hash",
    "x",
    "y",
    "class",
    "anchor",
    "edges",
    "vertices",
    "accuracy",
)


def write_points(
    path: str | os.PathLike[str],
    maps: Sequence[EmbeddingMap],
    table: CellTable,
    benchmark: NASBench101 | None = None,
) -> None:
    """Write a line for every point of every map; raises ``OSError``.

    ``class`` counts from 1 as in the picture, and ``anchor`` is 1 for the class's anchor, 0 for its
    positives; both are empty for random cells. ``accuracy`` is the mean test accuracy in percent,
    empty without a benchmark. Coordinates are written with all their digits.
    """
    lines: list[Iterable[object]] = [COLUMNS]
    for each in maps:
        cells = each.cells
        size = len(cells)
        classes, anchors = [""] * size, [""] * size
        if cells.classes is not None:
            classes, anchors = (cells.classes + 1).tolist(), cells.is_anchor.int().tolist()
        known = [""] * size
        if benchmark is not None:
            known = [f"{accuracy:.4f}" for accuracy in accuracies(benchmark, cells.rows)]
        lines += zip(
            [each.name] * size,
            cells.rows.tolist(),
            map(table.hash_of, cells.rows.tolist()),
            *([f"{value:.9g}" for value in axis] for axis in each.coordinates.T),
            classes,
            anchors,
            number_of_edges(table, cells.rows).tolist(),
            number_of_vertices(table, cells.rows).tolist(),
            known,
            strict=True,
        )
    write_text(path, to_csv(lines))
