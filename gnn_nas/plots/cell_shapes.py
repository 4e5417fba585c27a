"""The shapes that a picture of a cell consists of, whatever draws them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from gnn_nas.plots.cell_layout import CellLayout, lay_out
from gnn_nas.plots.op_styles import (
    END_CORNER,
    INPUT_STYLE,
    OUTPUT_STYLE,
    VertexStyle,
    op_styles,
)
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace

Point = tuple[float, float]
Command = tuple[str, tuple[Point, ...]]
"""A letter of SVG's paths and its points: M move, L line, C cubic Bézier curve, Z close."""

BOX_WIDTH, BOX_HEIGHT = 0.66, 0.5
"""Size of a vertex with a short label; all sizes but those of lines are in the drawing's units."""
COLUMN, ROW = 1.2, 0.72
"""From one layer to the next where boxes have this width, and from one height to the next."""
LETTERS = 0.175
"""Font size of labels."""
LINE_COLOUR = "#333333"
"""Of edges and of the boxes' outlines."""

_HEAD_LENGTH, _HEAD_WIDTH = 0.14, 0.12
_MARGIN = 0.08
# Of a line's font size: a capital's height in DejaVu Sans, which other fonts share within 2 %; the
# width of most letters.
_CAPITAL, _LINE_SPACING, _LETTER_WIDTH = 0.73, 1.15, 0.65
# Where the control points of a quarter of a circle lie (four such curves are off by 0.03 %).
_ARC = 0.5523
# Of cells with operations on edges: a node's size, what lies between two layers beside the box of
# an operation, and between edges where they come to a node.
_NODE, _BESIDE_OP, _PORT = 2 * END_CORNER, 0.3, 0.15


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
        heads: a triangle for every vertex but the input, its tip on the box; where operations are
            on edges, for every edge.
        boxes: a closed outline for every vertex, input first; where operations are on edges, for
            every node and then for every operation.
        styles: of the boxes; labels: all their lines.
        colours: operations of the edges, where they are on edges, which the lines show; else empty.
        low, high: corners of the smallest rectangle around all, with a margin.
        description: the cell in words.
    """

    edges: list[list[Command]]
    heads: list[list[Command]]
    boxes: list[list[Command]]
    styles: list[VertexStyle]
    labels: list[Label]
    colours: list[VertexStyle]
    low: Point
    high: Point
    description: str


def cell_shapes(cell: PackedCells) -> CellShapes:
    """Give the shapes of one pruned cell, a batch of one."""
    return _node_shapes(cell) if cell.space.nodes else _vertex_shapes(cell)


def vertex_styles(cell: PackedCells) -> list[VertexStyle]:
    """Looks of the vertices of one cell, input first."""
    styles = (INPUT_STYLE, *op_styles(cell.space), OUTPUT_STYLE)
    return [styles[feature] for feature in cell.features()[0, : cell.vertices.item()].tolist()]


def box_width(space: CellSpace) -> float:
    """Width of the boxes of a space, which holds all its labels."""
    letters = max(len(line) for style in op_styles(space) for line in style.lines)
    return max(BOX_WIDTH, letters * _LETTER_WIDTH * LETTERS + 2 * _MARGIN)


def _vertex_shapes(cell: PackedCells) -> CellShapes:
    styles, width = vertex_styles(cell), box_width(cell.space)
    centres, edges = _places(lay_out(cell), COLUMN - BOX_WIDTH + width)
    boxes = [
        _Box(x, y, width, BOX_HEIGHT, style) for (x, y), style in zip(centres, styles, strict=True)
    ]
    return _assembled(
        boxes,
        edges=[_edge(way, width / 2, width / 2, width / 2) for way in edges.values()],
        heads=[_head(x - width / 2, y) for x, y in centres[1:]],
        passing=[y for way in edges.values() for _, y in way[1:-1]],
        colours=[],
        description=", ".join(style.name for style in styles),
    )


def _node_shapes(cell: PackedCells) -> CellShapes:
    """Nodes as circles, and on every edge between them the box of its operation.

    Lines come to a node, and leave it, one above the other.
    """
    width, nodes = box_width(cell.space), node_styles(cell.space)
    ops = [op_styles(cell.space)[op] for op in cell.ops[0].tolist()]
    centres, ways = _places(lay_out(cell), width + _BESIDE_OP)
    edges, heads = [], []
    for way, start, end in zip(ways.values(), _ports(ways, 0), _ports(ways, 1), strict=True):
        ported = [(way[0][0], way[0][1] + start), *way[1:-1], (way[-1][0], way[-1][1] + end)]
        edges.append(_edge(ported, _reach(start), _reach(end), width / 2))
        heads.append(_head(ported[-1][0] - _reach(end), ported[-1][1]))
    boxes = [_Box(x, y, _NODE, _NODE, style) for (x, y), style in zip(centres, nodes, strict=True)]
    for way, style in zip(ways.values(), ops, strict=True):
        boxes.append(_Box(*way[len(way) // 2], width, BOX_HEIGHT, style))
    words = [
        f"{style.name} {source}→{target}" for (source, target), style in zip(ways, ops, strict=True)
    ]
    return _assembled(boxes, edges, heads, [], ops, ", ".join(words))


def _places(
    layout: CellLayout, column: float
) -> tuple[list[Point], dict[tuple[int, int], list[Point]]]:
    """Where vertices and the points of edges are in the drawing."""

    def place(point: tuple[int, float]) -> Point:
        return point[0] * column, point[1] * ROW

    ways = {edge: [place(point) for point in way] for edge, way in layout.edges.items()}
    return [place(point) for point in layout.vertices], ways


@dataclass(frozen=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    style: VertexStyle


def _assembled(
    boxes: list[_Box],
    edges: list[list[Command]],
    heads: list[list[Command]],
    passing: list[float],
    colours: list[VertexStyle],
    description: str,
) -> CellShapes:
    """The shapes with what follows of them; ``passing`` are heights of edges beside boxes."""
    low = min([box.y - box.height / 2 for box in boxes] + passing)
    high = max([box.y + box.height / 2 for box in boxes] + passing)
    left = min(box.x - box.width / 2 for box in boxes)
    right = max(box.x + box.width / 2 for box in boxes)
    return CellShapes(
        edges,
        heads,
        [_outline(box) for box in boxes],
        [box.style for box in boxes],
        [label for box in boxes for label in _labels(box)],
        colours,
        (left - _MARGIN, low - _MARGIN),
        (right + _MARGIN, high + _MARGIN),
        description,
    )


def node_styles(space: CellSpace) -> list[VertexStyle]:
    """Looks of the nodes of a space with operations on edges: circles with their numbers."""
    assert space.nodes is not None
    between = [
        VertexStyle((str(node),), INPUT_STYLE.fill, INPUT_STYLE.ink, END_CORNER)
        for node in range(1, space.nodes - 1)
    ]
    return [INPUT_STYLE, *between, OUTPUT_STYLE]


def _ports(ways: dict[tuple[int, int], list[Point]], side: int) -> list[float]:
    """How far above its node's middle every edge leaves it (side 0), or comes to it (side 1)."""
    # By the height of the point beside the node on the way.
    beside = {edge: way[1 - 3 * side][1] for edge, way in ways.items()}
    offsets = []
    for edge in ways:
        others = sorted((each for each in ways if each[side] == edge[side]), key=beside.get)
        offsets.append((others.index(edge) - (len(others) - 1) / 2) * _PORT)
    return offsets


def _reach(offset: float) -> float:
    """How far beside a node's middle its circle is, so far above or below."""
    return sqrt((_NODE / 2) ** 2 - offset**2)


def _edge(way: list[Point], start: float, end: float, passing: float) -> list[Command]:
    """A smooth line from the right side of the first box to the left side of the last.

    It climbs between the columns only and is level over the width of the boxes, so that it runs
    through none of them: where it passes a layer, the layout keeps its place clear.

    Args:
        start, end, passing: half the widths of the first box, of the last, and of those passed.
    """
    commands: list[Command] = []
    last = len(way) - 2
    for number, ((x, y), (next_x, next_y)) in enumerate(pairwise(way)):
        left = x + (passing if number else start)
        right = next_x - (end + _HEAD_LENGTH if number == last else passing)
        middle = (left + right) / 2
        commands.append(("L" if commands else "M", ((left, y),)))
        commands.append(("C", ((middle, y), (middle, next_y), (right, next_y))))
    return commands


def _head(x: float, y: float) -> list[Command]:
    back = x - _HEAD_LENGTH
    corners = ((x, y), (back, y + _HEAD_WIDTH / 2), (back, y - _HEAD_WIDTH / 2))
    return [("M", corners[:1]), ("L", corners[1:2]), ("L", corners[2:]), ("Z", ())]


def _outline(box: _Box) -> list[Command]:
    """Anticlockwise from the bottom side's left end."""
    cut = box.style.corner
    # At every corner: the direction in which the outline comes to it, and that in which it leaves.
    turns = (((1, 0), (0, 1)), ((0, 1), (-1, 0)), ((-1, 0), (0, -1)), ((0, -1), (1, 0)))
    right, top = box.x + box.width / 2, box.y + box.height / 2
    left, bottom = box.x - box.width / 2, box.y - box.height / 2
    corners = ((right, bottom), (right, top), (left, top), (left, bottom))
    commands: list[Command] = [("M", ((left + cut, bottom),))]
    for corner, (coming, leaving) in zip(corners, turns, strict=True):
        start, end = _moved(corner, coming, -cut), _moved(corner, leaving, cut)
        commands.append(("L", (start,)))
        if box.style.is_cut:
            commands.append(("L", (end,)))
        else:
            ahead, behind = _moved(start, coming, _ARC * cut), _moved(end, leaving, -_ARC * cut)
            commands.append(("C", (ahead, behind, end)))
    return [*commands, ("Z", ())]


def _moved(point: Point, direction: tuple[int, int], by: float) -> Point:
    return point[0] + by * direction[0], point[1] + by * direction[1]


def _labels(box: _Box) -> list[Label]:
    lines, spacing = box.style.lines, _LINE_SPACING * LETTERS
    first = box.y + (len(lines) - 1) * spacing / 2 - _CAPITAL * LETTERS / 2
    return [
        Label(line, box.x, first - number * spacing, box.style.ink)
        for number, line in enumerate(lines)
    ]
