from collections import Counter
from xml.etree import ElementTree

import pytest
import torch

from gnn_nas.plots.cell_layout import lay_out
from gnn_nas.plots.cell_svg import cell_svg
from gnn_nas.spaces.packed import PackedCells

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def cell() -> PackedCells:
    """0 -> 1 -> 2 -> 3 and 0 -> 3, with two different operations."""
    return PackedCells(torch.tensor([4]), torch.tensor([0b101101]), torch.tensor([[0, 2, 0, 0, 0]]))


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
