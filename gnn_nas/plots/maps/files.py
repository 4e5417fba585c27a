"""The files of a folder of maps, and maps as a page to explore."""

from __future__ import annotations

import os
from collections.abc import Sequence

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.errors import reported
from gnn_nas.plots.maps.colours import Colouring
from gnn_nas.plots.maps.config import MapConfig
from gnn_nas.plots.maps.embedding_map import EmbeddingMap
from gnn_nas.plots.maps.picture import draw_maps
from gnn_nas.plots.maps.points import write_points
from gnn_nas.plots.maps.summary import summarised
from gnn_nas.plots.page import CellMap, View, write_page
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.table import CellTable


def write_maps(
    folder: RunFolder,
    config: MapConfig,
    maps: Sequence[EmbeddingMap],
    table: CellTable,
    benchmark: NASBench101 | None,
    colours: Colouring | None,
) -> None:
    """Write ``umap.png``, ``umap.svg``, ``umap.csv`` and ``summary.json``.

    Args:
        benchmark: for the accuracies in ``umap.csv``; colours: see `draw_maps`.

    Raises:
        UserError: the folder cannot be written.
    """
    with reported(f"cannot write {folder.path}"):
        draw_maps([folder.path / "umap.png", folder.path / "umap.svg"], maps, colours)
        write_points(folder.path / "umap.csv", maps, table, benchmark)
    folder.save_summary(summarised(config, maps))


def write_map_page(
    path: str | os.PathLike[str],
    config: MapConfig,
    maps: Sequence[EmbeddingMap],
    table: CellTable,
    benchmark: NASBench101 | None,
) -> None:
    """Write maps of the same cells as one HTML file, each map a view of them.

    Args:
        benchmark: for accuracies and ranks.

    Raises:
        UserError: the file cannot be written.
    """
    cells = maps[0].cells
    classes = None if cells.classes is None else cells.classes.numpy()
    cell_map = CellMap(
        cells.rows,
        [View(each.name, each.coordinates, each.embeddings) for each in maps],
        benchmark.mean_test(cells.rows).numpy() if benchmark else None,
        benchmark.rank(cells.rows).numpy() if benchmark else None,
        classes,
        # Counted from 1, as in the picture.
        [] if classes is None else [str(number + 1) for number in range(classes.max() + 1)],
    )
    shown = f"{len(cells):,} random cells"
    if classes is not None:
        shown = f"{config.anchors} anchors with {config.positives} positives each"
    names = ", ".join(each.name for each in maps)
    subtitle = f"{shown}. UMAP of the embeddings of {names}."
    with reported(f"cannot write {path}"):
        write_page(path, table, cell_map, "Cells of NAS-Bench-101", subtitle, config.color)
