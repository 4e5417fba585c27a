from itertools import combinations

import numpy as np
import pytest
import torch

from gnn_nas.plots.cell_layout import lay_out
from gnn_nas.plots.cell_shapes import (
    BOX_HEIGHT,
    BOX_WIDTH,
    COLUMN,
    INPUT_STYLE,
    OP_STYLES,
    OUTPUT_STYLE,
    ROW,
    Command,
    cell_shapes,
)
from gnn_nas.spaces.packed import PackedCells

# What linear RGB becomes to readers who lack a kind of cones (Machado et al. 2009, table 1).
COLOUR_VISION = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
    "grey": np.tile([0.2126, 0.7152, 0.0722], (3, 1)),
}  # fmt: skip


@pytest.fixture(scope="module")
def every_shape(table) -> list[PackedCells]:
    """A cell of every set of edges, on which alone the layout depends: 2,494 of them."""
    kinds = torch.stack([table.cells.vertices, table.cells.edges], dim=1).unique(dim=0)
    ops = torch.zeros(1, 5, dtype=torch.long)
    return [PackedCells(kind[:1], kind[1:], ops) for kind in kinds]


def points_on(commands: list[Command]) -> np.ndarray:
    """Points closely along lines and curves, ``[N, 2]``."""
    t = np.linspace(0, 1, 25)[:, None]
    points, here = [], None
    for letter, ends in commands:
        ends = np.array(ends)
        if letter == "L":
            points.append(here + t * (ends[0] - here))
        elif letter == "C":
            a, b, c = ends
            points.append(
                (1 - t) ** 3 * here + 3 * (1 - t) ** 2 * t * a + 3 * (1 - t) * t**2 * b + t**3 * c
            )
        here = ends[-1] if len(ends) else here
    return np.concatenate(points)


def centres(cell: PackedCells) -> np.ndarray:
    return np.array(lay_out(cell).vertices) * [COLUMN, ROW]


@pytest.mark.slow
def test_no_cell_has_an_edge_through_a_box_or_boxes_that_overlap(every_shape):
    assert len(every_shape) == 2494
    for cell in every_shape:
        boxes = centres(cell)
        apart = np.abs(boxes[:, None] - boxes)
        overlap = (apart < [BOX_WIDTH, BOX_HEIGHT]).all(2)
        assert overlap.sum() == len(boxes)
        for edge in cell_shapes(cell).edges:
            distance = np.abs(points_on(edge)[:, None] - boxes)
            within = distance < [BOX_WIDTH / 2 - 1e-9, BOX_HEIGHT / 2 + 0.1]
            assert not within.all(2).any()


def test_everything_lies_within_the_corners(every_shape):
    for cell in every_shape[::7]:
        shapes = cell_shapes(cell)
        outlines = [points_on(each) for each in (*shapes.edges, *shapes.heads, *shapes.boxes)]
        points = np.concatenate(outlines)
        assert points.min(0) == pytest.approx(np.array(shapes.low) + 0.08)
        assert points.max(0) == pytest.approx(np.array(shapes.high) - 0.08)


def test_edges_lead_from_boxes_to_heads_and_heads_to_boxes(every_shape):
    for cell in every_shape[::7]:
        shapes, boxes = cell_shapes(cell), centres(cell)
        assert len(shapes.heads) == len(boxes) - 1
        for (_, target), edge in zip(lay_out(cell).edges, shapes.edges, strict=True):
            head = np.array([point for _, points in shapes.heads[target - 1] for point in points])
            assert head[0] == pytest.approx(boxes[target] - [BOX_WIDTH / 2, 0])
            assert points_on(edge)[-1] == pytest.approx(head[1:].mean(0))
        for (source, _), edge in zip(lay_out(cell).edges, shapes.edges, strict=True):
            assert points_on(edge)[0] == pytest.approx(boxes[source] + [BOX_WIDTH / 2, 0])


def test_boxes_have_their_size_and_corners():
    """0 -> 1 -> 2 -> 3: a convolution's corners are round, those of pooling are cut."""
    ops = torch.tensor([[1, 2, 0, 0, 0]])
    shapes = cell_shapes(PackedCells(torch.tensor([4]), torch.tensor([0b100101]), ops))
    assert shapes.styles == [INPUT_STYLE, OP_STYLES[1], OP_STYLES[2], OUTPUT_STYLE]
    assert [label.text for label in shapes.labels] == ["in", "conv", "1×1", "max", "pool", "out"]
    _, conv, pool, _ = shapes.boxes
    for box in (conv, pool):
        size = points_on(box)
        assert np.ptp(size, axis=0) == pytest.approx([BOX_WIDTH, BOX_HEIGHT])
    assert "".join(letter for letter, _ in conv) == "MLCLCLCLCZ"
    assert "".join(letter for letter, _ in pool) == "MLLLLLLLLZ"


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    return float(linear(colour) @ [0.2126, 0.7152, 0.0722])


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB, white point D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ rgb.clip(0, 1) / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", COLOUR_VISION)
def test_fills_differ_to_everyone_and_in_grey(vision):
    """By a multiple of what is just noticeable, about 2."""
    fills = [style.fill for style in (*OP_STYLES, INPUT_STYLE)]
    seen = [lab(COLOUR_VISION[vision] @ linear(fill)) for fill in fills]
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(one - other) > 15


def test_labels_are_legible_on_their_boxes():
    """By the strictest level of WCAG 2.1, a contrast ratio of 7."""
    for style in (*OP_STYLES, INPUT_STYLE, OUTPUT_STYLE):
        light, dark = sorted((luminance(style.fill), luminance(style.ink)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) > 7
