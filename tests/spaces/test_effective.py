import itertools
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn_nas.spaces.descriptors import descriptors
from gnn_nas.spaces.effective import EffectiveGraphs, effective_edges, num_paths
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import from_text
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import load_table

OPS = "none", "skip", "conv", "pool"


def space_of(zero: str | None, identity: str | None) -> CellSpace:
    parameters = 0.0, 0.0, 9.0, 0.0
    return CellSpace("small", OPS, parameters, 5, 7, zero=zero, identity=identity)


def paths_of(edges: list[list[float]], vertex: int, last: int) -> list[tuple[int, ...]]:
    """Every path from a vertex on, as often as its edges are there."""
    if vertex == last:
        return [(last,)]
    return [
        (vertex, *path)
        for target in range(vertex + 1, last + 1)
        for path in paths_of(edges, target, last)
        for _ in range(int(edges[vertex][target]))
    ]


@given(st.sampled_from([None, "none"]), st.sampled_from([None, "skip"]), st.integers(0, 10**6))
@settings(max_examples=8)
def test_paths_are_those_without_zeros_and_their_identities_left_out(zero, identity, seed):
    table = load_table(space_of(zero, identity))
    rows = torch.randint(len(table), (60,), generator=torch.Generator().manual_seed(seed))
    cells = table.cells[rows]
    found = effective_edges(cells).tolist()
    adjacency, features = cells.adjacency().tolist(), cells.features().tolist()
    for number, last in enumerate((cells.vertices - 1).tolist()):
        names = [table.space.features[feature] for feature in features[number][: last + 1]]
        expected = Counter(
            tuple(vertex for vertex in path if names[vertex] != identity)
            for path in paths_of(adjacency[number], 0, last)
            if zero not in [names[vertex] for vertex in path]
        )
        assert Counter(paths_of(found[number], 0, last)) == expected
        on_paths = {edge for path in expected for edge in itertools.pairwise(path)}
        edges = {(x, y) for x, row in enumerate(found[number]) for y, n in enumerate(row) if n}
        assert edges == on_paths


def test_descriptors_are_those_of_the_cell_that_is_left():
    """Where no two edges become one, that is a cell of the space of the other two ops."""
    plain = CellSpace("plain", OPS[2:], (9.0, 0.0), 5, 7)
    cells = load_table(space_of("none", "skip")).cells
    edges = effective_edges(cells)
    simple = (edges.amax((1, 2)) == 1) & (num_paths(edges)[:, 0].sum(1) > 1)
    cells, edges = cells[simple], edges[simple]
    assert len(cells) > 2000
    sources, targets = zip(*cells.space.slots, strict=True)
    bits = edges[:, sources, targets] > 0
    # What has no edges is pruned, and is of any op until then.
    left = PackedCells.from_bits(cells.vertices, bits, (cells.ops - 2).clamp(min=0), plain)
    left, valid = prune(left)
    assert bool(valid.all())
    assert (left.vertices < cells.vertices).sum() > 1000
    for block, expected in zip(descriptors(cells), descriptors(left), strict=True):
        torch.testing.assert_close(block, expected, rtol=1e-5, atol=1e-6)


def test_a_cell_of_two_ways_that_are_one():
    """Twice the input into the last convolution, through nodes 1 and 2; the rest is cut."""
    text = "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|none~1|nor_conv_3x3~2|"
    edges = effective_edges(from_text(text))
    assert edges.nonzero().tolist() == [[0, 0, 6], [0, 6, 7]]
    assert edges[0, 0, 6] == 2


def test_cells_that_compute_the_same_differ_in_the_layout_alone():
    one = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|avg_pool_3x3~2|"
    other = "|skip_connect~0|+|none~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|none~2|"
    cells = PackedCells.cat([from_text(one), from_text(other)])
    shape, patterns, layout = descriptors(cells)
    assert torch.equal(shape[0], shape[1])
    assert torch.equal(patterns[0], patterns[1])
    # Ops that compute are 1x1, 3x3 convolution, pooling, at each of six vertices.
    assert layout.nonzero().tolist() == [[0, 3 * 0 + 1], [1, 3 * 4 + 1]]


def test_a_cell_that_computes_nothing_has_finite_descriptors():
    cut = from_text("|none~0|+|none~0|nor_conv_3x3~1|+|none~0|skip_connect~1|none~2|")
    assert not effective_edges(cut).any()
    shape, patterns, layout = descriptors(cut)
    # Two vertices, the least number of feeders, and no op on the way to any of them, 8 being most.
    assert shape.unique().tolist() == [0, 1, 2, 8]
    assert not patterns.any()
    assert not layout.any()


@pytest.mark.parametrize("nodes", [4, None])
def test_nodes_sum_and_vertices_share_channels(nodes):
    """Convolutions on all three ways into the last node."""
    convolution = "nor_conv_3x3"
    text = f"|{convolution}~0|+|{convolution}~0|none~1|+|{convolution}~0"
    cell = from_text(f"{text}|{convolution}~1|{convolution}~2|")
    space = CellSpace(**{**vars(cell.space), "nodes": nodes})
    width = EffectiveGraphs(PackedCells(cell.vertices, cell.edges, cell.ops, space)).width
    assert width[0].tolist() == pytest.approx(
        [w * (1 if nodes else 1 / 3) for w in (0, 1, 1, 0, 1, 1, 1, 0)]
    )


def test_a_space_without_the_two_ops_keeps_its_cells(table):
    cells = table.cells[::5000]
    assert cells.space is NASBENCH101
    assert torch.equal(effective_edges(cells), cells.adjacency().float())
