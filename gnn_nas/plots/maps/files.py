"""The files of a folder of maps, and maps as a page to explore."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gnn_nas.benchmarks import TITLES
from gnn_nas.errors import reported
from gnn_nas.files import to_csv, write_text
from gnn_nas.plots.maps.cells import MapConfig
from gnn_nas.plots.maps.colours import Colouring, accuracies
from gnn_nas.plots.maps.embedding_map import FIGURE_NAMES, EmbeddingMap
from gnn_nas.plots.maps.picture import draw_maps
from gnn_nas.plots.page import CellMap, View, write_page
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.index import CellIndex

if TYPE_CHECKING:
    from gnn_nas.benchmarks.protocols import Benchmark

_LABEL, _COLUMN = 25, 16
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


def write_maps(
    folder: RunFolder,
    config: MapConfig,
    maps: Sequence[EmbeddingMap],
    table: CellIndex,
    benchmark: Benchmark | None,
    colours: Colouring | None,
) -> None:
    """Write ``umap.png``, ``umap.svg``, ``umap.csv`` and ``summary.json``.

    Args:
        benchmark: for the accuracies in ``umap.csv``; colours: see `draw_maps`.

    Raises:
        UserError: the folder cannot be written.
    """
    with reported(f"cannot write {folder.path}"):
        draw_maps([folder.path / "umap.png", folder.path / "umap.svg"], maps, colours, table.space)
        write_points(folder.path / "umap.csv", maps, table, benchmark)
    folder.save_summary(summarised(config, maps))


def write_map_page(
    path: str | os.PathLike[str],
    config: MapConfig,
    maps: Sequence[EmbeddingMap],
    table: CellIndex,
    benchmark: Benchmark | None,
    told: Mapping[str, Tensor] | None = None,
) -> None:
    """Write maps of the same cells as one HTML file, each map a view of them.

    Args:
        benchmark: for accuracies and ranks; told: see `CellMap`.

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
        told=told or {},
    )
    shown = f"{len(cells):,} random cells"
    if classes is not None:
        shown = f"{config.anchors} anchors with {config.positives} positives each"
    names = ", ".join(each.name for each in maps)
    subtitle = f"{shown}. UMAP of the embeddings of {names}."
    with reported(f"cannot write {path}"):
        write_page(
            path,
            table,
            cell_map,
            f"Cells of {TITLES.get(table.space.name, table.space.name)}",
            subtitle,
            config.color,
        )


def summarised(config: MapConfig, maps: Sequence[EmbeddingMap]) -> dict[str, Any]:
    """The settings and, under ``maps``, the figures of every map."""
    figures = [
        {"name": each.name, "loss": each.loss, **each.figures, "other_draws": each.other_draws}
        for each in maps
    ]
    return {**config.model_dump(), "maps": figures}


def figures_table(maps: Sequence[EmbeddingMap], draws: int) -> str:
    """The figures of maps of the same cells side by side, and those of ``draws`` other draws."""
    wide = max(_COLUMN, *(len(each.name) + 2 for each in maps))
    lines = [" " * _LABEL + "".join(f"{each.name:>{wide}}" for each in maps)]
    for key, name in FIGURE_NAMES.items():
        if key in maps[0].figures:
            texts = (f"{each.figures[key]:.3f}" for each in maps)
            lines.append(f"{name:{_LABEL}}" + "".join(f"{text:>{wide}}" for text in texts))
    if maps[0].other_draws:
        lines.append(f"on {draws} other draws")
    for key, name in FIGURE_NAMES.items():
        if key in maps[0].other_draws:
            spreads = (each.other_draws[key] for each in maps)
            texts = (f"{spread['mean']:.3f} ± {spread['std']:.3f}" for spread in spreads)
            lines.append(f"  {name:{_LABEL - 2}}" + "".join(f"{text:>{wide}}" for text in texts))
    return "\n".join(lines)


def write_points(
    path: str | os.PathLike[str],
    maps: Sequence[EmbeddingMap],
    table: CellIndex,
    benchmark: Benchmark | None = None,
) -> None:
    """Write a line for every point of every map; raises ``OSError``.

    ``class`` counts from 1 as in the picture, and ``anchor`` is 1 for the class's anchor, 0 for its
    positives; both are empty for random cells. ``accuracy`` is the mean test accuracy in percent,
    empty without a benchmark. Coordinates are written with all their digits.
    """
    lines: list[Iterable[object]] = [COLUMNS]
    for each in maps:
        cells, graphs = each.cells, table.cells[each.cells.rows]
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
            graphs.edge_bits().sum(1).tolist(),
            graphs.vertices.tolist(),
            known,
            strict=True,
        )
    write_text(path, to_csv(lines))
