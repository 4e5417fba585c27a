"""What a page shows: cells on a plane, searches as paths through them, and both as compact text.

The text has typed arrays in base64, which ``template/data.js`` undoes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnn_nas.evaluation.nearest import nearest_neighbours
from gnn_nas.function import STATISTICS
from gnn_nas.plots.cell_figures import FIGURES, cell_figures, told_range
from gnn_nas.plots.cell_layout import CellLayout, lay_out
from gnn_nas.plots.cell_shapes import BOX_HEIGHT, LINE_COLOUR, node_styles
from gnn_nas.plots.op_styles import INPUT_STYLE, OUTPUT_STYLE, VertexStyle, op_styles
from gnn_nas.spaces.index import CellIndex

NEIGHBOURS = 6
"""Nearest neighbours that the page tells of every cell."""
STEPS = 255
"""Of a figure's scale, from its lower end to its upper one."""


@dataclass(frozen=True)
class SearchPath:
    """The cells that one search queried, in this order.

    Args:
        name: what the page calls it.
        rows: of the index of cells, int64 ``[Q]``.
        rewards: what the search was rewarded with, fractions, NaN where one failed, ``[Q]``.
        reports: what the search is judged by, fractions, NaN where unknown, ``[Q]``.
    """

    name: str
    rows: Tensor
    rewards: np.ndarray
    reports: np.ndarray

    def __post_init__(self) -> None:
        for name in ("rewards", "reports"):
            _check_length(name, getattr(self, name), len(self.rows))


@dataclass(frozen=True)
class View:
    """Where one controller's embeddings lay the cells of a map.

    Args:
        name: of the controller.
        coordinates: on the plane, ``[N, 2]``.
        embeddings: in whose space the page tells nearest neighbours, ``[N, d]``.
    """

    name: str
    coordinates: np.ndarray
    embeddings: Tensor


@dataclass(frozen=True)
class CellMap:
    """``N`` cells on a plane, with what is known of them.

    Args:
        rows: of the index of cells, int64 ``[N]``.
        views: to choose from; the page shows the first one first.
        accuracies: mean test accuracies, fractions, NaN where unknown, ``[N]``.
        ranks: among all cells of the space, from 1, 0 where unknown, int ``[N]``.
        classes: number of every cell's class in ``class_names``, int ``[N]``.
        class_names: what the page calls the classes.
        paths: searches to play; all their cells must be on the map.
        told: what a controller tells of the cells' function, ``[N]`` by statistic.

    Raises:
        ValueError: lengths differ, there is no view, or a path's cell is not on the map.
    """

    rows: Tensor
    views: Sequence[View]
    accuracies: np.ndarray | None = None
    ranks: np.ndarray | None = None
    classes: np.ndarray | None = None
    class_names: Sequence[str] = ()
    paths: Sequence[SearchPath] = ()
    told: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.views:
            raise ValueError("a map needs a view")
        for view in self.views:
            _check_length("coordinates", view.coordinates, len(self))
            _check_length("embeddings", view.embeddings, len(self))
        for name in ("accuracies", "ranks", "classes"):
            if (values := getattr(self, name)) is not None:
                _check_length(name, values, len(self))
        for name, told in self.told.items():
            _check_length(name, told, len(self))
        for path in self.paths:
            if not bool(torch.isin(path.rows, self.rows).all()):
                raise ValueError(f"the path {path.name!r} leaves the map")

    def __len__(self) -> int:
        return len(self.rows)

    def points_of(self, rows: Tensor) -> Tensor:
        """Positions on the map of rows that are on it, int64 ``[len(rows)]``."""
        ordered, order = self.rows.sort(stable=True)
        return order[torch.searchsorted(ordered, rows)]


def _check_length(name: str, values: np.ndarray | Tensor, length: int) -> None:
    if len(values) != length:
        raise ValueError(f"{name} has {len(values)} entries for {length} cells")


def packed_map(table: CellIndex, cell_map: CellMap) -> dict[str, Any]:
    """What the page's script reads, ready for JSON; accuracies in percent.

    A cell is the number of its graph, of which there is one for each edge bitmask, and its ops.
    """
    cells, space = table.cells[cell_map.rows], table.space
    masks, first, graphs = np.unique(cells.edges.numpy(), return_index=True, return_inverse=True)
    layouts = [lay_out(cells[one : one + 1]) for one in first.tolist()]
    return {
        "graphs": {
            # A script's bit operations are on 32 bits.
            "low": _text(masks & 0xFFFFFFFF, "<u4"),
            "high": _text(masks >> 32, "<u4"),
            "heights": _heights(layouts),
        },
        "graph": _text(graphs, "<u4"),
        "ops": _text(cells.ops, "u1"),
        "hashes": [table.hash_of(row) for row in cell_map.rows.tolist()],
        "views": [_view(view) for view in cell_map.views],
        "accuracies": _percent(cell_map.accuracies),
        "ranks": None if cell_map.ranks is None else _text(cell_map.ranks, "<u4"),
        "classes": None if cell_map.classes is None else _text(cell_map.classes, "<u4"),
        "classNames": list(cell_map.class_names),
        "figures": {
            name: {"about": about.get(name, name), **_figure(each, about is STATISTICS)}
            for figures, about in ((cell_map.told, STATISTICS), (cell_figures(cells), FIGURES))
            for name, each in figures.items()
        },
        "paths": [_path(cell_map, path) for path in cell_map.paths],
        "styles": {
            "ops": [_style(style) for style in op_styles(space)],
            "input": _style(INPUT_STYLE),
            "output": _style(OUTPUT_STYLE),
            "nodes": [_style(style) for style in node_styles(space)] if space.nodes else None,
            "line": LINE_COLOUR,
        },
        "space": {
            "size": len(table),
            "vertices": space.max_vertices,
            "isWired": space.wiring is not None,
            "hasInEdges": space.in_edges is not None,
        },
    }


def _view(view: View) -> dict[str, Any]:
    count = min(NEIGHBOURS, len(view.embeddings) - 1)
    positions, distances = nearest_neighbours(view.embeddings.cpu().float(), count)
    x, y = np.asarray(view.coordinates).T
    return {
        "name": view.name,
        "x": _text(x, "<f4"),
        "y": _text(y, "<f4"),
        "neighbours": _text(positions, "<u4"),
        "neighbourDistances": _text(distances, "<f4"),
        "neighbourCount": count,
    }


def _figure(values: Tensor, is_told: bool) -> dict[str, Any]:
    """What only colours show takes a byte a cell, finer than eyes tell colours apart."""
    low, high = told_range(values) if is_told else (values.min().item(), values.max().item())
    shares = ((values - low) / (high - low or 1)).clamp(0, 1)
    return {
        "isTold": is_told,
        "low": low,
        "high": high,
        "stepCount": STEPS,
        "steps": _text((STEPS * shares).round(), "u1"),
    }


def _path(cell_map: CellMap, path: SearchPath) -> dict[str, Any]:
    return {
        "name": path.name,
        "points": _text(cell_map.points_of(path.rows), "<u4"),
        "rewards": _percent(path.rewards),
        "reports": _percent(path.reports),
    }


def _style(style: VertexStyle) -> dict[str, Any]:
    return {
        "name": style.name,
        "lines": style.lines,
        "fill": style.fill,
        "ink": style.ink,
        "corner": style.corner / BOX_HEIGHT,
        "isCut": style.is_cut,
        "isAbsent": style.is_absent,
    }


def _heights(layouts: Sequence[CellLayout]) -> str:
    """Heights of each graph's vertices, then of what passes layers edge by edge, in half steps.

    Their layers, and with them how many heights there are, follow from the graph. The edges come in
    the order of their slots.
    """
    heights = [
        height
        for layout in layouts
        for points in (layout.vertices, *(way[1:-1] for way in layout.edges.values()))
        for _, height in points
    ]
    return _text(2 * np.array(heights), "i1")


def _percent(fractions: np.ndarray | None) -> str | None:
    return None if fractions is None else _text(100 * np.asarray(fractions), "<f4")


def _text(values: Tensor | np.ndarray, kind: str) -> str:
    return base64.b64encode(np.asarray(values).astype(kind).tobytes()).decode()
