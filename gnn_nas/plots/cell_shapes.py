"""The shapes that a picture of a cell consists of, whatever draws them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from gnn_nas.plots.cell_layout import lay_out
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells

Point = tuple[float, float]
Command = tuple[str, tuple[Point, ...]]
"""A letter of SVG's paths and its points: M move, L line, C cubic Bézier curve, Z close."""


@dataclass(frozen=True)
class VertexStyle:
    """How vertices of one kind look.

    Args:
        lines: the label; fill: colour of the box; ink: colour of the label.
        corner: how much of the box its corners take, in the drawing's units.
        is_cut: whether the corners are cut off instead of rounded.
    """

    lines: tuple[str, ...]
    fill: str
    ink: str
    corner: float
    is_cut: bool = False

    @property
    def name(self) -> str:
        """The label on one line."""
        return " ".join(self.lines)


BOX_WIDTH, BOX_HEIGHT = 0.66, 0.5
"""Size of a vertex; all sizes but those of lines are in the drawing's own units."""
COLUMN, ROW = 1.2, 0.72
"""From one layer to the next, and from one height to the next."""
LETTERS = 0.175
"""Font size of labels."""

# Convolutions are blue, pooling is orange, which readers of all kinds of colour vision tell apart;
# in grey they are dark, light and between. Pooling and the ends have shapes of their own.
OP_STYLES = (
    VertexStyle(("conv", "3×3"), "#003F72", "#FFFFFF", 0.07),
    VertexStyle(("conv", "1×1"), "#A6D8F5", "#000000", 0.07),
    VertexStyle(("max", "pool"), "#E07B00", "#000000", 0.15, is_cut=True),
)
"""Looks of NAS-Bench-101's operations, in their order."""
_CONV3X3, _CONV1X1, _MAX_POOL = OP_STYLES
# What computes nothing is white.
_STYLE_OF_OP = {
    **dict(zip(NASBENCH101.ops, OP_STYLES, strict=True)),
    "nor_conv_3x3": _CONV3X3,
    "nor_conv_1x1": _CONV1X1,
    "avg_pool_3x3": replace(_MAX_POOL, lines=("avg", "pool")),
    "skip_connect": VertexStyle(("skip",), "#FFFFFF", "#000000", 0.07),
    "none": VertexStyle(("none",), "#FFFFFF", "#000000", 0.15, is_cut=True),
}
INPUT_STYLE = VertexStyle(("in",), "#FFFFFF", "#000000", BOX_HEIGHT / 2)
OUTPUT_STYLE = VertexStyle(("out",), "#FFFFFF", "#000000", BOX_HEIGHT / 2)
LINE_COLOUR = "#333333"
"""Of edges and of the boxes' outlines."""

_HEAD_LENGTH, _HEAD_WIDTH = 0.14, 0.12
_MARGIN = 0.08
# Of a line's font size: a capital's height in DejaVu Sans, which other fonts share within 2 %.
_CAPITAL, _LINE_SPACING = 0.73, 1.15
# Where the control points of a quarter of a circle lie (four such curves are off by 0.03 %).
_ARC = 0.5523


@dataclass(frozen=True)
class Label:
    """A line of text, centred at ``x``, its letters standing on ``y``."""

    text: str
    x: float
    y: float
    ink: str


@dataclass(frozen=True)
class CellShapes:
    """A drawing of one cell, from left to right, ``y`` upwards.

    Attributes:
        edges: a line for every edge, from its source's box to its target's arrow head.
        heads: a triangle for every vertex but the input, its tip on the box.
        boxes: a closed outline for every vertex, input first.
        styles: of the vertices; labels: all their lines.
        low, high: corners of the smallest rectangle around all, with a margin.
    """

    edges: list[list[Command]]
    heads: list[list[Command]]
    boxes: list[list[Command]]
    styles: list[VertexStyle]
    labels: list[Label]
    low: Point
    high: Point


def cell_shapes(cell: PackedCells) -> CellShapes:
    """Give the shapes of one pruned cell, a batch of one."""
    layout = lay_out(cell)
    styles = vertex_styles(cell)
    centres = [_place(point) for point in layout.vertices]
    ways = [[_place(point) for point in way] for way in layout.edges.values()]
    low, high = _extent(centres, ways)
    return CellShapes(
        edges=[_edge(way) for way in ways],
        heads=[_head(*centre) for centre in centres[1:]],
        boxes=[_box(*centre, style) for centre, style in zip(centres, styles, strict=True)],
        styles=styles,
        labels=[
            label
            for centre, style in zip(centres, styles, strict=True)
            for label in _labels(*centre, style)
        ],
        low=low,
        high=high,
    )


def vertex_styles(cell: PackedCells) -> list[VertexStyle]:
    """Looks of the vertices of one cell, input first."""
    styles = (INPUT_STYLE, *map(_style, cell.space.ops), OUTPUT_STYLE)
    return [styles[feature] for feature in cell.features()[0, : cell.vertices.item()].tolist()]


def _style(op: str) -> VertexStyle:
    return _STYLE_OF_OP.get(op, VertexStyle((op,), "#FFFFFF", "#000000", 0.07))


def _place(point: tuple[int, float]) -> Point:
    layer, height = point
    return layer * COLUMN, height * ROW


def _extent(centres: list[Point], ways: list[list[Point]]) -> tuple[Point, Point]:
    passing = [y for way in ways for _, y in way[1:-1]]
    low = min([y - BOX_HEIGHT / 2 for _, y in centres] + passing)
    high = max([y + BOX_HEIGHT / 2 for _, y in centres] + passing)
    aside = BOX_WIDTH / 2 + _MARGIN
    return (-aside, low - _MARGIN), (centres[-1][0] + aside, high + _MARGIN)


def _edge(way: list[Point]) -> list[Command]:
    """A smooth line from the right side of the first box to the left side of the last.

    It climbs between the columns only and is level over the width of the boxes, so that it runs
    through none of them: where it passes a layer, the layout keeps its place clear.
    """
    commands: list[Command] = []
    for (x, y), (next_x, next_y) in pairwise(way):
        start, end = x + BOX_WIDTH / 2, next_x - BOX_WIDTH / 2
        if next_x == way[-1][0]:
            end -= _HEAD_LENGTH
        middle = (start + end) / 2
        commands.append(("L" if commands else "M", ((start, y),)))
        commands.append(("C", ((middle, y), (middle, next_y), (end, next_y))))
    return commands


def _head(x: float, y: float) -> list[Command]:
    tip = x - BOX_WIDTH / 2
    back = tip - _HEAD_LENGTH
    corners = ((tip, y), (back, y + _HEAD_WIDTH / 2), (back, y - _HEAD_WIDTH / 2))
    return [("M", corners[:1]), ("L", corners[1:2]), ("L", corners[2:]), ("Z", ())]


def _box(x: float, y: float, style: VertexStyle) -> list[Command]:
    """The outline, anticlockwise from the bottom side's left end."""
    size = style.corner
    # At every corner: the direction in which the outline comes to it, and that in which it leaves.
    turns = (((1, 0), (0, 1)), ((0, 1), (-1, 0)), ((-1, 0), (0, -1)), ((0, -1), (1, 0)))
    right, top = x + BOX_WIDTH / 2, y + BOX_HEIGHT / 2
    left, bottom = x - BOX_WIDTH / 2, y - BOX_HEIGHT / 2
    corners = ((right, bottom), (right, top), (left, top), (left, bottom))
    commands: list[Command] = [("M", ((left + size, bottom),))]
    for corner, (coming, leaving) in zip(corners, turns, strict=True):
        start, end = _moved(corner, coming, -size), _moved(corner, leaving, size)
        commands.append(("L", (start,)))
        if style.is_cut:
            commands.append(("L", (end,)))
        else:
            ahead, behind = _moved(start, coming, _ARC * size), _moved(end, leaving, -_ARC * size)
            commands.append(("C", (ahead, behind, end)))
    return [*commands, ("Z", ())]


def _moved(point: Point, direction: tuple[int, int], by: float) -> Point:
    return point[0] + by * direction[0], point[1] + by * direction[1]


def _labels(x: float, y: float, style: VertexStyle) -> list[Label]:
    spacing = _LINE_SPACING * LETTERS
    first = y + (len(style.lines) - 1) * spacing / 2 - _CAPITAL * LETTERS / 2
    return [
        Label(line, x, first - number * spacing, style.ink)
        for number, line in enumerate(style.lines)
    ]
