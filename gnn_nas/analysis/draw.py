"""Cells as pictures and as text."""

from __future__ import annotations

import os
from itertools import pairwise
from typing import TYPE_CHECKING

from gnn_nas.analysis.layout import lay_out
from gnn_nas.cells.packed import PackedCells
from gnn_nas.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

OP_LABELS = ("conv 3×3", "conv 1×1", "max pool")
"""What the operations are called in pictures and texts, in the order of ``OPS``."""

# Okabe and Ito's colours, told apart by colour-blind readers too, and what is legible on them.
_OP_COLOURS = (("#0072B2", "white"), ("#E69F00", "black"), ("#009E73", "white"))
_END_COLOUR = ("#EEEEEE", "black")
_EDGE_COLOUR = "#404040"

# Sizes in the drawing's own units: all but the lines grow with the axes.
_COLUMN, _ROW = 1.55, 0.72
_WIDTH, _HEIGHT, _MARGIN = 0.98, 0.4, 0.1
_LETTERS, _CAPITAL = 0.16, 0.12
# Of a picture of its own.
_INCHES_PER_UNIT, _TITLE_INCHES, _LEAST_WIDTH = 0.9, 0.3, 5


def draw_cell(axes: Axes, cell: PackedCells) -> None:
    """Draw one pruned cell, a batch of one, from the input on the left to the output."""
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch

    layout = lay_out(cell)
    for way in layout.edges.values():
        arrow = FancyArrowPatch(
            path=_curve([_place(point) for point in way]),
            arrowstyle="-|>,head_length=4.5,head_width=2.2",
            color=_EDGE_COLOUR,
            lw=1.2,
        )
        axes.add_patch(arrow)
    for point, label, (fill, ink) in zip(
        layout.vertices, labels(cell), _colours(cell), strict=True
    ):
        x, y = _place(point)
        box = FancyBboxPatch(
            (x - _WIDTH / 2, y - _HEIGHT / 2),
            _WIDTH,
            _HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.12",
            fc=fill,
            ec=_EDGE_COLOUR,
            zorder=2,
        )
        axes.add_patch(box)
        axes.add_patch(PathPatch(_letters(label, x, y), fc=ink, lw=0, zorder=3))
    places = [_place(point) for way in layout.edges.values() for point in way]
    (left, *_, right), (low, *_, high) = (sorted(each) for each in zip(*places, strict=True))
    axes.set(
        xlim=(left - _WIDTH / 2 - _MARGIN, right + _WIDTH / 2 + _MARGIN),
        ylim=(low - _HEIGHT / 2 - _MARGIN, high + _HEIGHT / 2 + _MARGIN),
        aspect="equal",
    )
    axes.axis("off")


def save_cell(path: str | os.PathLike[str], cell: PackedCells, title: str = "") -> None:
    """Draw one cell into a PNG file of its own, with a title above it. Raises ``OSError``."""
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_axes((0, 0, 1, 1))
    draw_cell(axes, cell)
    width, height = (
        (limits[1] - limits[0]) * _INCHES_PER_UNIT for limits in (axes.get_xlim(), axes.get_ylim())
    )
    whole_height = height + (_TITLE_INCHES if title else 0)
    figure.set_size_inches(max(width, _LEAST_WIDTH), whole_height)
    axes.set_position((0, 0, 1, height / whole_height))
    axes.set_title(title, fontsize=10, pad=2)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)


def cell_text(cell: PackedCells) -> str:
    """One pruned cell as text: a line for every vertex, with the vertices it reads from."""
    count = cell.vertices.item()
    adjacency = cell.adjacency()[0]
    lines = []
    for vertex, label in enumerate(labels(cell)):
        sources = ", ".join(map(str, adjacency[:count, vertex].nonzero().flatten().tolist()))
        lines.append(f"{vertex}  {label:8}  ← {sources}" if sources else f"{vertex}  {label}")
    return "\n".join(lines)


def labels(cell: PackedCells) -> list[str]:
    """What the vertices of one cell are called, input first."""
    return ["in", *(OP_LABELS[op] for op in _ops(cell)), "out"]


def _colours(cell: PackedCells) -> list[tuple[str, str]]:
    return [_END_COLOUR, *(_OP_COLOURS[op] for op in _ops(cell)), _END_COLOUR]


def _ops(cell: PackedCells) -> list[int]:
    return cell.ops[0, : cell.vertices.item() - 2].tolist()


def _place(point: tuple[int, float]) -> tuple[float, float]:
    column, height = point
    return column * _COLUMN, height * _ROW


def _curve(places: list[tuple[float, float]]) -> Path:
    """A smooth path from the right side of the first box to the left side of the last."""
    from matplotlib.path import Path

    points, codes = [], []
    for (x, y), (next_x, next_y) in pairwise(places):
        # Level over the width of a box, where vertices lie above and below.
        start, end = x + _WIDTH / 2, next_x - _WIDTH / 2
        middle = (start + end) / 2
        points += [(start, y), (middle, y), (middle, next_y), (end, next_y)]
        codes += [Path.LINETO if codes else Path.MOVETO, *[Path.CURVE4] * 3]
    return Path(points, codes)


def _letters(label: str, x: float, y: float) -> Path:
    """A label as outlines around a centre."""
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    text = TextPath((0, 0), label, size=_LETTERS)
    box = text.get_extents()
    shift = Affine2D().translate(x - (box.x0 + box.x1) / 2, y - _CAPITAL / 2)
    return text.transformed(shift)
