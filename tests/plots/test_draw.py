from collections import Counter
from xml.etree import ElementTree

import matplotlib.image
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from gnn_nas.plots.cell_layout import lay_out
from gnn_nas.plots.cell_shapes import vertex_styles
from gnn_nas.plots.draw import cell_svg, cell_text, draw_cell, save_cell
from gnn_nas.spaces.nasbench201 import from_text
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace

COLOURS = {0: (0, 63, 114), 1: (166, 216, 245), 2: (224, 123, 0)}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def cell() -> PackedCells:
    """0 -> 1 -> 2 -> 3 and 0 -> 3, with two different operations."""
    return PackedCells(torch.tensor([4]), torch.tensor([0b101101]), torch.tensor([[0, 2, 0, 0, 0]]))


def shares(path) -> dict[int, float]:
    """Which share of the picture has the colour of each operation."""
    picture = (matplotlib.image.imread(path)[:, :, :3] * 255).round()
    return {op: float((picture == rgb).all(2).mean()) for op, rgb in COLOURS.items()}


def test_a_picture_shows_the_operations_in_their_colours(cell, tmp_path):
    path = tmp_path / "cell.png"
    save_cell(path, cell, title="94.32 %")
    assert list(tmp_path.iterdir()) == [path]
    share = shares(path)
    assert share[0] > 0.01
    assert share[1] == 0
    assert share[2] > 0.01


@pytest.mark.parametrize("vertices", range(2, 8))
def test_cells_of_every_size_are_drawn_within_the_picture(table, tmp_path, vertices):
    row = (table.cells.vertices == vertices).nonzero().flatten()[-1].item()
    path = tmp_path / "cell.png"
    save_cell(path, table.cells[row : row + 1], title=table.hash_of(row))
    picture = matplotlib.image.imread(path)[:, :, :3]
    dark = (picture < 0.6).all(2)
    assert dark.sum() > 500
    for edge in (dark[0], dark[-1], dark[:, 0], dark[:, -1]):
        assert not edge.any()


def test_a_cell_is_drawn_into_given_axes(cell):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    draw_cell(left, cell)
    assert len(left.patches) == 4 + 4 + 3 + 6  # edges, boxes, heads, lines of labels
    assert not right.patches
    low, high = left.get_xlim()
    for patch in left.patches:
        points = patch.get_path().vertices
        assert np.isfinite(points).all()
    assert high > low


def test_text_says_what_reads_from_what(cell):
    assert [style.name for style in vertex_styles(cell)] == ["in", "conv 3×3", "max pool", "out"]
    assert cell_text(cell).splitlines() == [
        "0  in",
        "1  conv 3×3  ← 0",
        "2  max pool  ← 1",
        "3  out       ← 0, 2",
    ]


def test_the_smallest_cell_as_text(table):
    row = (table.cells.vertices == 2).nonzero().item()
    assert cell_text(table.cells[row : row + 1]) == "0  in\n1  out       ← 0"


def test_it_has_every_edge_box_head_and_label(cell):
    root = ElementTree.fromstring(cell_svg(cell))
    assert root.tag == f"{SVG}svg"
    assert root.get("aria-label") == "cell: in, conv 3×3, max pool, out"
    assert [text.text for text in root.iter(f"{SVG}text")] == [
        "in", "conv", "3×3", "max", "pool", "out"
    ]  # fmt: skip
    paths = list(root.iter(f"{SVG}path"))
    assert len(paths) == 4 + 4 + 3
    fills = Counter(path.get("fill") for path in paths)
    assert fills == {None: 4 + 3, "#FFFFFF": 2, "#003F72": 1, "#E07B00": 1}


def test_everything_lies_within_the_view(table):
    for vertices in range(2, 8):
        row = (table.cells.vertices == vertices).nonzero().flatten()[-1].item()
        root = ElementTree.fromstring(cell_svg(table.cells[row : row + 1]))
        left, top, width, height = map(float, root.get("viewBox").split())
        assert (float(root.get("width")), float(root.get("height"))) == (width, height)
        for path in root.iter(f"{SVG}path"):
            text = "".join(" " if letter in "MLCZ" else letter for letter in path.get("d"))
            numbers = [float(number) for number in text.split()]
            assert left + 6 <= min(numbers[::2])
            assert max(numbers[::2]) <= left + width - 6
            assert top + 6 <= min(numbers[1::2])
            assert max(numbers[1::2]) <= top + height - 6


def test_what_is_above_in_the_layout_is_above_in_the_picture(cell):
    """The short cut passes aside of the chain."""
    aside = lay_out(cell).edges[0, 3][1][1] - lay_out(cell).vertices[0][1]
    root = ElementTree.fromstring(cell_svg(cell))
    _, top, _, height = map(float, root.get("viewBox").split())
    chain = next(float(text.get("y")) for text in root.iter(f"{SVG}text"))
    assert (top + height / 2 < chain) == (aside > 0)


@pytest.fixture
def on_edges() -> PackedCells:
    return from_text("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|none~2|")


def test_text_of_operations_on_edges_goes_by_nodes(on_edges):
    assert cell_text(on_edges).splitlines() == [
        "0  in",
        "1       ← conv 3×3 of 0",
        "2       ← none of 0, skip of 1",
        "3  out  ← avg pool of 0, none of 1, none of 2",
    ]


def test_operations_on_edges_colour_their_lines(on_edges, tmp_path):
    path = tmp_path / "cell.png"
    save_cell(path, on_edges)
    share = shares(path)
    assert share[0] > 0.01
    assert share[1] == 0
    assert share[2] > 0.01
    root = ElementTree.fromstring(cell_svg(on_edges))
    lines = [path for path in root.iter(f"{SVG}path") if path.get("stroke")]
    # A dark line below each coloured one; none of them is a single dashed one.
    assert Counter(line.get("stroke") for line in lines) == {
        "#333333": 6, "#003F72": 1, "#FFFFFF": 1, "#E07B00": 1
    }  # fmt: skip
    assert [line.get("stroke-dasharray") for line in lines].count(None) == 6
    assert root.get("aria-label") == (
        "cell: conv 3×3 0→1, none 0→2, skip 1→2, avg pool 0→3, none 1→3, none 2→3"
    )


def test_names_of_operations_are_written_as_they_are(tmp_path):
    """They are neither formulas nor elements."""
    space = CellSpace("odd", ("$x_1$", "a<b&c"), (0.0, 0.0), 4, 4)
    cell = PackedCells(torch.tensor([4]), torch.tensor([0b100101]), torch.tensor([[0, 1]]), space)
    root = ElementTree.fromstring(cell_svg(cell))
    assert [text.text for text in root.iter(f"{SVG}text")] == ["in", "$x", "1$", "a<b&c", "out"]
    save_cell(tmp_path / "cell.png", cell)
    assert cell_text(cell).splitlines()[1:] == ["1  $x_1$  ← 0", "2  a<b&c  ← 1", "3  out    ← 2"]
