"""The files of a folder of maps."""

from __future__ import annotations

from collections.abc import Sequence

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.errors import reported
from gnn_nas.plots.maps.colours import Colouring
from gnn_nas.plots.maps.config import MapConfig
from gnn_nas.plots.maps.embedding_map import EmbeddingMap
from gnn_nas.plots.maps.picture import draw_maps
from gnn_nas.plots.maps.points import write_points
from gnn_nas.plots.maps.summary import summarised
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
