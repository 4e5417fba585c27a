"""Cells as pictures, as SVG and as text."""

from __future__ import annotations

import os
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from gnn_nas.files import atomic_path
from gnn_nas.plots.cell_shapes import (
    LETTERS,
    LINE_COLOUR,
    CellShapes,
    Command,
    Label,
    cell_shapes,
    vertex_styles,
)
from gnn_nas.plots.op_styles import OUTPUT_STYLE, VertexStyle, op_styles
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import node_edges

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.path import Path

_LINE_POINTS = 1.2
# Of a picture of its own.
_INCHES_PER_UNIT, _TITLE_INCHES, _LEAST_WIDTH = 1.0, 0.35, 5
# Of SVG: pixels to the drawing's unit, so that labels have 14 where nothing scales the picture.
_SCALE = 80
_LINE_WIDTH = 2
# Of edges that have an operation, in widths of other lines: its colour between two dark lines. One
# that lets nothing pass is dashed.
_CASING, _CORE = 3.4, 1.8
_DASHES = (2, 2)


def draw_cell(axes: Axes, cell: PackedCells) -> None:
    """Draw one pruned cell, a batch of one, from the input on the left to the output.

    The axes become the picture: they lose frame and ticks, and get equal scales.
    """
    from matplotlib.patches import PathPatch

    shapes = cell_shapes(cell)
    line = {"ec": LINE_COLOUR, "lw": _LINE_POINTS}
    for edge in shapes.edges if not shapes.colours else ():
        axes.add_patch(PathPatch(_path(edge), fc="none", capstyle="butt", **line))
    for edge, style in zip(shapes.edges, shapes.colours, strict=False):
        for colour, lines in _strokes(style):
            dashes = {"ls": (0, _DASHES)} if style.is_absent else {}
            width = lines * _LINE_POINTS
            axes.add_patch(PathPatch(_path(edge), fc="none", ec=colour, lw=width, **dashes))
    for box, style in zip(shapes.boxes, shapes.styles, strict=True):
        axes.add_patch(PathPatch(_path(box), fc=style.fill, joinstyle="round", zorder=2, **line))
    for head in shapes.heads:
        axes.add_patch(PathPatch(_path(head), fc=LINE_COLOUR, lw=0, zorder=3))
    for label in shapes.labels:
        axes.add_patch(PathPatch(_letters(label), fc=label.ink, lw=0, zorder=3))
    (left, bottom), (right, top) = shapes.low, shapes.high
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
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
    axes.set_title(title, fontsize=10, pad=4)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)


def cell_text(cell: PackedCells) -> str:
    """One pruned cell as text: a line for every vertex, with the vertices it reads from.

    Where operations are on edges it is a line for every node, with the operations on the edges to
    it and the nodes they come from.
    """
    styles, nodes = op_styles(cell.space), cell.space.nodes
    if nodes:
        # Nodes in between are called by their numbers alone.
        names = ["in", *[""] * (nodes - 2), "out"]
        wide = len("out")
        reads: list[list[str]] = [[] for _ in names]
        for (source, target), op in zip(node_edges(nodes), cell.ops[0].tolist(), strict=True):
            reads[target].append(f"{styles[op].name} of {source}")
    else:
        names = [style.name for style in vertex_styles(cell)]
        wide = max(len(style.name) for style in (*styles, OUTPUT_STYLE))
        columns = cell.adjacency()[0, : len(names), : len(names)].T
        reads = [list(map(str, column.nonzero().flatten().tolist())) for column in columns]
    digits = len(str(len(names) - 1))
    lines = []
    for number, (name, sources) in enumerate(zip(names, reads, strict=True)):
        label = f"{number:{digits}}  {name}"
        ways = ", ".join(sources)
        lines.append(f"{label:{digits + 2 + wide}}  ← {ways}" if sources else label)
    return "\n".join(lines)


def _strokes(style: VertexStyle) -> list[tuple[str, float]]:
    """Colours and widths of the lines, one on the other, that show an edge's operation."""
    if style.is_absent:
        return [(LINE_COLOUR, 1)]
    return [(LINE_COLOUR, _CASING), (style.fill, _CORE)]


def _path(commands: list[Command]) -> Path:
    from matplotlib.path import Path

    codes = {"M": [Path.MOVETO], "L": [Path.LINETO], "C": 3 * [Path.CURVE4], "Z": [Path.CLOSEPOLY]}
    # Closing takes a point too, which does not matter.
    points = [point for _, points in commands for point in points or ((0.0, 0.0),)]
    return Path(points, [code for letter, _ in commands for code in codes[letter]])


def _letters(label: Label) -> Path:
    """A label as outlines, so that it grows with the axes."""
    from matplotlib.textpath import TextPath
    from matplotlib.transforms import Affine2D

    # A dollar would begin a formula.
    text = TextPath((0, 0), label.text.replace("$", r"\$"), size=LETTERS)
    box = text.get_extents()
    return text.transformed(Affine2D().translate(label.x - (box.x0 + box.x1) / 2, label.y))


def cell_svg(cell: PackedCells) -> str:
    """Give one pruned cell, a batch of one, as an ``<svg>`` element to be written into a page.

    It needs no style sheet, no script and no font of its own, has no identifiers that could clash
    with those of others, and scales with its width. Readers of screens are told the vertices.
    """
    shapes = cell_shapes(cell)
    (left, bottom), (right, top) = shapes.low, shapes.high
    width, height = _number(right - left), _number(top - bottom)
    box = f"{_number(left)} {_number(-top)} {width} {height}"
    words = escape(shapes.description)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="{box}"'
            f' width="{width}" height="{height}" aria-label="cell: {words}">',
            *_elements(shapes),
            "</svg>",
        ]
    )


def _elements(shapes: CellShapes) -> Iterable[str]:
    yield f'<g fill="none" stroke="{LINE_COLOUR}" stroke-width="{_LINE_WIDTH}">'
    for edge in shapes.edges if not shapes.colours else ():
        yield f'<path d="{_svg_path(edge)}"/>'
    for edge, style in zip(shapes.edges, shapes.colours, strict=False):
        dashes = " ".join(str(_LINE_WIDTH * dash) for dash in _DASHES)
        ends = f' stroke-dasharray="{dashes}"' if style.is_absent else ""
        for colour, lines in _strokes(style):
            width = f"{lines * _LINE_WIDTH:g}"
            yield f'<path stroke="{colour}" stroke-width="{width}"{ends} d="{_svg_path(edge)}"/>'
    for box, style in zip(shapes.boxes, shapes.styles, strict=True):
        yield f'<path fill="{style.fill}" d="{_svg_path(box)}"/>'
    yield f'</g><g fill="{LINE_COLOUR}">'
    for head in shapes.heads:
        yield f'<path d="{_svg_path(head)}"/>'
    yield (
        '</g><g font-family="DejaVu Sans, Verdana, Arial, sans-serif" text-anchor="middle"'
        f' font-size="{_number(LETTERS)}">'
    )
    for label in shapes.labels:
        place = f'x="{_number(label.x)}" y="{_number(-label.y)}"'
        yield f'<text {place} fill="{label.ink}">{escape(label.text)}</text>'
    yield "</g>"


def _svg_path(commands: list[Command]) -> str:
    """The same commands as SVG writes them, ``y`` downwards."""
    parts = []
    for letter, points in commands:
        parts.append(letter + " ".join(f"{_number(x)} {_number(-y)}" for x, y in points))
    return "".join(parts)


def _number(value: float) -> str:
    """A length in pixels, to a tenth."""
    # Adding 0 makes of -0 what it is.
    return f"{round(_SCALE * value, 1) + 0:g}"
