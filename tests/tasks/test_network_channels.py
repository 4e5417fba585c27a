import pytest
import torch

from gnn_nas.spaces.conversion import from_matrix
from gnn_nas.spaces.packed import pack
from gnn_nas.tasks.network_channels import interior_channels


def naive_channels(vertices: int, edges: set[tuple[int, int]], channels: int) -> list[int]:
    """The official rule (Ying et al. 2019) vertex by vertex."""
    output = vertices - 1
    concatenated = [vertex for vertex in range(1, output) if (vertex, output) in edges]
    found = dict.fromkeys(range(1, output), 0)
    for place, vertex in enumerate(concatenated):
        found[vertex] = channels // len(concatenated)
        if place < channels % len(concatenated):
            found[vertex] += 1
    for vertex in reversed(range(1, output)):
        if vertex not in concatenated:
            found[vertex] = max(found[y] for x, y in edges if x == vertex)
    return [found[vertex] for vertex in range(1, output)]


def test_the_remainder_widens_the_first_vertices_and_what_feeds_them():
    ops = ["input", *["conv3x3-bn-relu"] * 4, "output"]
    edges = [(0, 1), (1, 2), (1, 3), (2, 5), (3, 5), (0, 4), (4, 5)]
    matrix = [[int((x, y) in edges) for y in range(6)] for x in range(6)]
    cell = pack(from_matrix(matrix, ops))
    assert interior_channels(cell, 128).tolist() == [[43, 43, 43, 42, 0]]
    assert interior_channels(cell, 127).tolist() == [[43, 43, 42, 42, 0]]


def test_a_cell_without_interior_has_no_channels_to_share():
    cell = pack(from_matrix([[0, 1], [0, 0]], ["input", "output"]))
    assert interior_channels(cell, 128).tolist() == [[0] * 5]


@pytest.mark.parametrize("channels", [5, 23, 128])
def test_agrees_with_the_rule_vertex_by_vertex_for_all_matrices(table, channels):
    # Channels do not depend on the operations: the first cell of each matrix will do.
    _, inverse = table.cells.edges.unique(return_inverse=True)
    first = torch.full((int(inverse.max()) + 1,), len(table)).scatter_reduce_(
        0, inverse, torch.arange(len(table)), "amin"
    )
    cells = table.cells[first]
    assert len(cells) == 2494
    adjacency = cells.adjacency().tolist()
    found = interior_channels(cells, channels).tolist()
    for vertices, matrix, widths in zip(cells.vertices.tolist(), adjacency, found, strict=True):
        edges = {(x, y) for x in range(7) for y in range(7) if matrix[x][y]}
        expected = naive_channels(vertices, edges, channels)
        assert widths == expected + [0] * (7 - vertices)


def test_too_few_channels_are_refused(table):
    with pytest.raises(ValueError, match="at least 5 channels, got 4"):
        interior_channels(table.cells[:1], 4)
