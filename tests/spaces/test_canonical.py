from itertools import permutations

import networkx as nx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.spaces.canonical import canonical
from gnn_nas.spaces.forms import draw_forms
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace, slot_of


def drawn(space: CellSpace, count: int, seed: int = 0) -> PackedCells:
    return draw_forms(space, count, torch.Generator().manual_seed(seed))


def graph(cells: PackedCells, number: int) -> nx.DiGraph:
    size = int(cells.vertices[number])
    labels = cells.features()[number, :size].tolist()
    made = nx.DiGraph()
    made.add_nodes_from((v, {"label": label}) for v, label in enumerate(labels))
    made.add_edges_from(cells.adjacency()[number].nonzero().tolist())
    return made


def isomorphic(one: nx.DiGraph, other: nx.DiGraph) -> bool:
    return nx.is_isomorphic(one, other, node_match=lambda a, b: a["label"] == b["label"])


def every_order(cells: PackedCells) -> list[PackedCells]:
    """All forms of a batch of one, its vertices in every topological order."""
    size = int(cells.vertices)
    edges = cells.adjacency()[0].nonzero().tolist()
    forms = []
    for order in permutations(range(1, size - 1)):
        place = {0: 0, size - 1: size - 1} | {vertex: i for i, vertex in enumerate(order, 1)}
        if all(place[x] < place[y] for x, y in edges):
            mask = sum(1 << slot_of(place[x], place[y]) for x, y in edges)
            ops = cells.ops.clone()
            for vertex in order:
                ops[0, place[vertex] - 1] = cells.ops[0, vertex - 1]
            forms.append(PackedCells(cells.vertices, torch.tensor([mask]), ops, cells.space))
    return forms


spaces = st.builds(
    lambda ops, vertices, edges: CellSpace(
        "drawn", tuple("abc"[:ops]), (1.0,) * ops, vertices, edges
    ),
    st.integers(1, 3),
    st.integers(3, 7),
    st.integers(6, 21),
)


@given(spaces, st.integers(0, 2**32 - 1))
def test_all_orders_of_a_cell_have_one_canonical_form(space, seed):
    cell = drawn(space, 1, seed)
    forms = PackedCells.cat(every_order(cell))
    found, valid = canonical(forms)
    assert bool(valid.all())
    assert len(found.edges.unique()) == 1
    assert len(found.ops.unique(dim=0)) == 1
    assert isomorphic(graph(cell, 0), graph(found, 0))


@given(spaces, st.integers(0, 2**32 - 1))
def test_networkx_agrees_on_what_is_isomorphic(space, seed):
    cells = drawn(space, 8, seed)
    found, _ = canonical(cells)
    for i in range(len(cells)):
        for j in range(i):
            same = bool((found.edges[i] == found.edges[j]) & (found.ops[i] == found.ops[j]).all())
            assert same == isomorphic(graph(cells, i), graph(cells, j))


def test_networkx_agrees_on_pairs_of_a_large_space():
    space = CellSpace("large", tuple("abcde"), (1.0,) * 5, max_vertices=8, max_edges=12)
    cells = drawn(space, 300)
    found, _ = canonical(cells)
    assert all(isomorphic(graph(cells, i), graph(found, i)) for i in range(300))
    assert not any(isomorphic(graph(cells, i), graph(cells, i - 1)) for i in range(300))


# Cells that refinement alone leaves tied: chains side by side, twins, a cycle of six each way.
TIED = {
    "twins": [(0, v) for v in range(1, 10)] + [(v, 10) for v in range(1, 10)],
    "chains": [e for v in (1, 2, 3) for e in ((0, v), (v, v + 3), (v + 3, v + 6), (v + 6, 10))],
    "ring": [(0, v) for v in (1, 2, 3, 4)]
    + [(1, 5), (1, 6), (2, 6), (2, 7), (3, 7), (3, 8), (4, 8), (4, 5)]
    + [(v, 9) for v in (5, 6, 7, 8)],
}


@pytest.mark.parametrize("name", TIED)
def test_ties_are_broken_in_one_way(name):
    edges = TIED[name]
    size = 1 + max(y for _, y in edges)
    space = CellSpace("tied", ("a", "b"), (1.0, 1.0), max_vertices=11, max_edges=30)
    generator = torch.Generator().manual_seed(0)
    ranks = {0: 0, size - 1: size - 1}
    depth = nx.single_source_shortest_path_length(nx.DiGraph(edges), 0)
    forms = []
    for _ in range(200):
        shuffled = (torch.randperm(size - 2, generator=generator) + 1).tolist()
        order = sorted(shuffled, key=depth.__getitem__)
        place = ranks | {vertex: i for i, vertex in enumerate(order, 1)}
        mask = sum(1 << slot_of(place[x], place[y]) for x, y in edges)
        zeros = torch.zeros(1, 9, dtype=torch.long)
        forms.append(PackedCells(torch.tensor([size]), torch.tensor([mask]), zeros, space))
    found, valid = canonical(PackedCells.cat(forms))
    assert bool(valid.all())
    assert len(found.edges.unique()) == 1


def test_it_tells_the_classes_of_nasbench101_apart(table):
    cells = drawn(NASBENCH101, 20_000)
    rows = table.rows_of(cells)
    found, valid = canonical(cells)
    assert bool(valid.all())
    assert torch.equal(table.rows_of(found), rows)
    code = torch.stack([found.vertices, found.edges, *found.ops.T], 1)
    assert len(code.unique(dim=0)) == len(rows.unique())


def test_what_is_no_unpruned_cell_of_the_space_is_invalid():
    space = CellSpace("small", ("a", "b"), (1.0, 1.0), max_vertices=4, max_edges=4)
    good, _ = drawn(space, 1), None
    size, mask, ops = good.vertices, good.edges, good.ops
    wrong = [
        PackedCells(size, mask * 0, ops, space),
        # The second vertex has no out-edge; too many edges; an edge beyond the output; no such op.
        PackedCells(torch.tensor([4]), torch.tensor([0b101011]), ops, space),
        PackedCells(torch.tensor([4]), torch.tensor([0b111111]), ops, space),
        PackedCells(torch.tensor([3]), torch.tensor([0b100101]), ops, space),
        PackedCells(size, mask, ops + 2, space),
    ]
    _, valid = canonical(PackedCells.cat([good, *wrong]))
    assert valid.tolist() == [True, False, False, False, False, False]


def test_a_fixed_wiring_has_one_form_of_every_choice():
    cells = drawn(NASBENCH201, 50)
    found, valid = canonical(cells)
    assert bool(valid.all())
    assert torch.equal(found.ops, cells.ops)
    _, valid = canonical(PackedCells(cells.vertices, cells.edges - 1, cells.ops, NASBENCH201))
    assert not valid.any()
