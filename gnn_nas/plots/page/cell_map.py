"""What a page shows: cells on a plane, searches as paths through them, and both as compact text.

The text has typed arrays in base64, which ``template/data.js`` undoes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnn_nas.evaluation.nearest import nearest_neighbours
from gnn_nas.plots.cell_layout import CellLayout, lay_out
from gnn_nas.plots.cell_shapes import (
    BOX_HEIGHT,
    INPUT_STYLE,
    LINE_COLOUR,
    OP_STYLES,
    OUTPUT_STYLE,
    VertexStyle,
)
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.table import CellTable

NEIGHBOURS = 6
"""Nearest neighbours that the page tells of every cell."""


@dataclass(frozen=True)
class SearchPath:
    """The cells that one search queried, in this order.

    Args:
        name: what the page calls it.
        rows: of the cell table, int64 ``[Q]``.
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
        rows: of the cell table, int64 ``[N]``.
        views: to choose from; the page shows the first one first.
        accuracies: mean test accuracies, fractions, NaN where unknown, ``[N]``.
        ranks: among all cells of the space, from 1, 0 where unknown, int ``[N]``.
        classes: number of every cell's class in ``class_names``, int ``[N]``.
        class_names: what the page calls the classes.
        paths: searches to play; all their cells must be on the map.

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

    def __post_init__(self) -> None:
        if not self.views:
            raise ValueError("a map needs a view")
        for view in self.views:
            _check_length("coordinates", view.coordinates, len(self))
            _check_length("embeddings", view.embeddings, len(self))
        for name in ("accuracies", "ranks", "classes"):
            if (values := getattr(self, name)) is not None:
                _check_length(name, values, len(self))
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


def packed_map(table: CellTable, cell_map: CellMap) -> dict[str, Any]:
    """What the page's script reads, ready for JSON; accuracies in percent.

    A cell is 32 bits: its edge bitmask, above it its ops as base-3 digits, the first one lowest.
    How a cell is laid out follows from its edges, so there is one layout for each bitmask.
    """
    cells, space = table.cells[cell_map.rows], table.space
    ops = (cells.ops * len(space.ops) ** torch.arange(space.max_interior)).sum(1)
    return {
        "cells": _text(cells.edges | ops << space.num_slots, "<u4"),
        "hashes": _text(table.module_hash[cell_map.rows], "u1"),
        "views": [_view(view) for view in cell_map.views],
        "accuracies": _percent(cell_map.accuracies),
        "ranks": None if cell_map.ranks is None else _text(cell_map.ranks, "<u4"),
        "classes": None if cell_map.classes is None else _text(cell_map.classes, "<u4"),
        "classNames": list(cell_map.class_names),
        "paths": [_path(cell_map, path) for path in cell_map.paths],
        "layouts": _layouts(cells),
        "styles": {
            "ops": [_style(style) for style in OP_STYLES],
            "input": _style(INPUT_STYLE),
            "output": _style(OUTPUT_STYLE),
            "line": LINE_COLOUR,
        },
        "spaceSize": len(table),
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
    }


def _layouts(cells: PackedCells) -> dict[str, str]:
    """Heights of each bitmask's vertices, then of what passes layers edge by edge, in half steps.

    Their layers, and with them how many heights there are, follow from the bitmask.
    """
    masks, first = np.unique(cells.edges.numpy(), return_index=True)
    heights = [
        height for one in first.tolist() for height in _heights(lay_out(cells[one : one + 1]))
    ]
    return {"masks": _text(masks, "<u4"), "heights": _text(2 * np.array(heights), "i1")}


def _heights(layout: CellLayout) -> list[float]:
    # The edges come in the order of their slots.
    passing = [point for way in layout.edges.values() for point in way[1:-1]]
    return [height for _, height in [*layout.vertices, *passing]]


def _percent(fractions: np.ndarray | None) -> str | None:
    return None if fractions is None else _text(100 * np.asarray(fractions), "<f4")


def _text(values: Tensor | np.ndarray, kind: str) -> str:
    return base64.b64encode(np.asarray(values).astype(kind).tobytes()).decode()
