"""A map as compact text for the page: typed arrays in base64, undone by ``template/data.js``."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnn_nas.evaluation.nearest_points import nearest_neighbours
from gnn_nas.plots.cell_layout import CellLayout, lay_out
from gnn_nas.plots.cell_shapes import (
    BOX_HEIGHT,
    INPUT_STYLE,
    LINE_COLOUR,
    OP_STYLES,
    OUTPUT_STYLE,
    VertexStyle,
)
from gnn_nas.plots.page.cell_map import CellMap, SearchPath, View
from gnn_nas.spaces.nasbench101 import MAX_INTERIOR, NUM_SLOTS, OPS
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.table import CellTable

NEIGHBOURS = 6
"""Nearest neighbours that the page tells of every cell."""

_PLACES = len(OPS) ** torch.arange(MAX_INTERIOR)


def packed_map(table: CellTable, cell_map: CellMap) -> dict[str, Any]:
    """What the page's script reads, ready for JSON; accuracies in percent.

    A cell is 32 bits: its edge bitmask, above it its ops as base-3 digits, the first one lowest.
    How a cell is laid out follows from its edges, so there is one layout for each bitmask.
    """
    cells = table.cells[cell_map.rows]
    return {
        "cells": _text((cells.edges | (cells.ops * _PLACES).sum(1) << NUM_SLOTS), "<u4"),
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
