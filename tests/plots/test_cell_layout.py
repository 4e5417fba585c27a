from collections import defaultdict
from itertools import pairwise

import pytest
import torch

from gnn_nas.plots.cell_layout import lay_out
from gnn_nas.spaces.packed import PackedCells


@pytest.fixture(scope="module")
def cells(table) -> list[PackedCells]:
    """Every third cell of at most four vertices, ten of every larger size."""
    rows = [*(table.cells.vertices <= 4).nonzero().flatten().tolist()[::3]]
    for vertices in (5, 6, 7):
        every = (table.cells.vertices == vertices).nonzero().flatten()
        generator = torch.Generator().manual_seed(vertices)
        rows += every[torch.randint(len(every), (10,), generator=generator)].tolist()
    return [table.cells[row : row + 1] for row in rows]


def edges_of(cell: PackedCells) -> set[tuple[int, int]]:
    return {(x, y) for x, y in cell.adjacency()[0].nonzero().tolist()}


def test_a_vertex_is_in_the_layer_of_its_longest_path(cells):
    for cell in cells:
        layers = [layer for layer, _ in lay_out(cell).vertices]
        for vertex, layer in enumerate(layers):
            before = [layers[x] + 1 for x, y in edges_of(cell) if y == vertex]
            assert layer == max(before, default=0)


def test_an_edge_goes_from_its_source_through_every_layer_to_its_target(cells):
    for cell in cells:
        layout = lay_out(cell)
        assert layout.edges.keys() == edges_of(cell)
        for (source, target), points in layout.edges.items():
            assert (points[0], points[-1]) == (layout.vertices[source], layout.vertices[target])
            layers = [layer for layer, _ in points]
            assert layers == list(range(layers[0], layers[-1] + 1))


def test_nothing_lies_on_anything_else(cells):
    """In a layer, vertices and passing edges are a step apart."""
    for cell in cells:
        layout = lay_out(cell)
        heights = defaultdict(list)
        for layer, height in layout.vertices:
            heights[layer].append(height)
        for points in layout.edges.values():
            for layer, height in points[1:-1]:
                heights[layer].append(height)
        for column in map(sorted, heights.values()):
            assert all(b - a >= 1 for a, b in pairwise(column))


def test_a_chain_is_a_line_and_its_short_cut_passes_aside():
    """0 -> 1 -> 2 -> 3 and 0 -> 3."""
    slots = (0, 2, 5, 3)
    mask = sum(1 << slot for slot in slots)
    cell = PackedCells(torch.tensor([4]), torch.tensor([mask]), torch.zeros(1, 5, dtype=torch.long))
    layout = lay_out(cell)
    assert len({height for _, height in layout.vertices}) == 1
    line = layout.vertices[0][1]
    aside = [height for _, height in layout.edges[0, 3][1:-1]]
    assert len(aside) == 2
    assert all(abs(height - line) >= 1 for height in aside)


def test_branches_do_not_cross():
    """Two branches of two vertices each, numbered in turns: 0 -> 1 -> 3 -> 5, 0 -> 2 -> 4 -> 5."""
    edges = ((0, 1), (1, 3), (3, 5), (0, 2), (2, 4), (4, 5))
    mask = sum(1 << x + y * (y - 1) // 2 for x, y in edges)
    cell = PackedCells(torch.tensor([6]), torch.tensor([mask]), torch.zeros(1, 5, dtype=torch.long))
    heights = [height for _, height in lay_out(cell).vertices]
    assert heights[1] == heights[3]
    assert heights[2] == heights[4]
    assert heights[0] == heights[5]
