from collections import defaultdict
from itertools import combinations, pairwise

import pytest
import torch

from gnn_nas.plots import cell_layout
from gnn_nas.plots.cell_layout import lay_out
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace, node_edges, slot_of


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


def test_nodes_are_in_a_line_and_edges_past_them_do_not_cross():
    space = CellSpace.on_edges("four", ("a",), (1.0,), nodes=4)
    mask, ops = torch.tensor([space.mask]), torch.zeros(1, 6, dtype=torch.long)
    layout = lay_out(PackedCells(torch.tensor([8]), mask, ops, space))
    assert layout.vertices == [(0, 0), (2, 0), (4, 0), (6, 0)]
    assert list(layout.edges) == list(node_edges(4))
    for source, target in node_edges(4):
        points = layout.edges[source, target]
        assert [layer for layer, _ in points] == list(range(2 * source, 2 * target + 1))
    heights = {edge: points[len(points) // 2][1] for edge, points in layout.edges.items()}
    assert heights == {(0, 1): 0, (0, 2): -1, (1, 2): 0, (0, 3): 2, (1, 3): 1, (2, 3): 0}


def crossings(cell: PackedCells) -> int:
    steps = defaultdict(list)
    for points in lay_out(cell).edges.values():
        for (layer, low), (_, high) in pairwise(points):
            steps[layer].append((low, high))
    return sum(
        (a - c) * (b - d) < 0
        for between in steps.values()
        for (a, b), (c, d) in combinations(between, 2)
    )


def test_orders_of_large_cells_are_as_good_as_the_best(cells, monkeypatch):
    best = sum(map(crossings, cells))
    monkeypatch.setattr(cell_layout, "_MOST_PAIRS", 0)
    test_an_edge_goes_from_its_source_through_every_layer_to_its_target(cells)
    test_nothing_lies_on_anything_else(cells)
    assert sum(map(crossings, cells)) == best


def test_cells_of_eleven_vertices_are_laid_out():
    space = CellSpace("large", ("a",), (1.0,), 11, 55)
    for mask in (
        (1 << 55) - 1,
        sum(1 << slot_of(x, x + 1) for x in range(10)) | 1 << slot_of(0, 10),
    ):
        ops = torch.zeros(1, 9, dtype=torch.long)
        cell = PackedCells(torch.tensor([11]), torch.tensor([mask]), ops, space)
        test_an_edge_goes_from_its_source_through_every_layer_to_its_target([cell])
        test_nothing_lies_on_anything_else([cell])
