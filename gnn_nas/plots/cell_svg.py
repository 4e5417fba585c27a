"""Cells as SVG, for pages and documents."""

from __future__ import annotations

from collections.abc import Iterable

from gnn_nas.plots.cell_shapes import LETTERS, LINE_COLOUR, CellShapes, Command, cell_shapes
from gnn_nas.spaces.packed import PackedCells

# Pixels to the drawing's unit, so that labels have 14 pixels where nothing scales the picture.
_SCALE = 80
_LINE_WIDTH = 2


def cell_svg(cell: PackedCells) -> str:
    """Give one pruned cell, a batch of one, as an ``<svg>`` element to be written into a page.

    It needs no style sheet, no script and no font of its own, has no identifiers that could clash
    with those of others, and scales with its width. Readers of screens are told the vertices.
    """
    shapes = cell_shapes(cell)
    (left, bottom), (right, top) = shapes.low, shapes.high
    width, height = _number(right - left), _number(top - bottom)
    box = f"{_number(left)} {_number(-top)} {width} {height}"
    names = ", ".join(style.name for style in shapes.styles)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="{box}"'
            f' width="{width}" height="{height}" aria-label="cell: {names}">',
            *_elements(shapes),
            "</svg>",
        ]
    )


def _elements(shapes: CellShapes) -> Iterable[str]:
    yield f'<g fill="none" stroke="{LINE_COLOUR}" stroke-width="{_LINE_WIDTH}">'
    for edge in shapes.edges:
        yield f'<path d="{_path(edge)}"/>'
    for box, style in zip(shapes.boxes, shapes.styles, strict=True):
        yield f'<path fill="{style.fill}" d="{_path(box)}"/>'
    yield f'</g><g fill="{LINE_COLOUR}">'
    for head in shapes.heads:
        yield f'<path d="{_path(head)}"/>'
    yield (
        '</g><g font-family="DejaVu Sans, Verdana, Arial, sans-serif" text-anchor="middle"'
        f' font-size="{_number(LETTERS)}">'
    )
    for label in shapes.labels:
        place = f'x="{_number(label.x)}" y="{_number(-label.y)}"'
        yield f'<text {place} fill="{label.ink}">{label.text}</text>'
    yield "</g>"


def _path(commands: list[Command]) -> str:
    """The same commands as SVG writes them, ``y`` downwards."""
    parts = []
    for letter, points in commands:
        parts.append(letter + " ".join(f"{_number(x)} {_number(-y)}" for x, y in points))
    return "".join(parts)


def _number(value: float) -> str:
    """A length in pixels, to a tenth."""
    # Adding 0 makes of -0 what it is.
    return f"{round(_SCALE * value, 1) + 0:g}"
