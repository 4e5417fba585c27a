import networkx as nx
import numpy as np
import pytest
import torch

from gnn_nas.spaces.conversion import from_matrix
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.neighbours import neighbours


def naive_neighbours(table, row: int, plain) -> list[int]:
    """Every edit of a graph whose vertices have no order, one after the other."""
    labels, edges = plain(table.cells[torch.tensor([row])])[0]
    last = len(labels) - 1
    graphs = []
    for vertex in range(1, last):
        graphs += [([*labels[:vertex], op, *labels[vertex + 1 :]], edges) for op in (1, 2, 3)]
        ins, outs = [{e for e in edges if e[end] == vertex} for end in (1, 0)]
        if len(ins) == len(outs) == 1:
            graphs.append((labels, edges - ins - outs))
    for x in range(last + 1):
        for y in range(last + 1):
            graphs.append((labels, edges ^ {(x, y)}))
            if last < 6:
                new = last + 1
                graphs += [([*labels, op], edges | {(x, new), (new, y)}) for op in (1, 2, 3)]
    rows = {naive_row(table, labels, edges, last) for labels, edges in graphs}
    return sorted(rows - {None, row})


def naive_row(table, labels: list[int], edges: set[tuple[int, int]], last: int) -> int | None:
    """Row of a graph of input 0, output ``last``, or nothing where it is no valid cell."""
    graph = nx.DiGraph(edges)
    graph.add_nodes_from([0, last])
    if any(y == 0 or x == last for x, y in edges):
        return None
    if not nx.is_directed_acyclic_graph(graph) or not nx.has_path(graph, 0, last):
        return None
    kept = (nx.descendants(graph, 0) | {0}) & (nx.ancestors(graph, last) | {last})
    order = list(nx.topological_sort(graph.subgraph(kept)))
    matrix = nx.to_numpy_array(graph, nodelist=order).astype(np.int64)
    if matrix.sum() > 9:
        return None
    return table.index_of(
        from_matrix(matrix, [NASBENCH101.features[labels[v]] for v in order])
    ).item()


@pytest.fixture(scope="module")
def rows(table, small_rows) -> torch.Tensor:
    """the 91 smallest cells, 15 of every larger size."""
    drawn = []
    for vertices in (5, 6, 7):
        every = (table.cells.vertices == vertices).nonzero().flatten()
        generator = torch.Generator().manual_seed(vertices)
        drawn.append(every[torch.randint(len(every), (8,), generator=generator)])
    return torch.cat([small_rows[::3], *drawn])


@pytest.mark.slow
def test_agrees_with_plain_loops(table, rows, plain):
    owner, found = neighbours(table, rows)
    for position, row in enumerate(rows.tolist()):
        assert found[owner == position].tolist() == naive_neighbours(table, row, plain)


def test_a_batch_of_one_and_of_none(table, rows):
    owner, found = neighbours(table, rows)
    for position in (0, 20, 50):
        alone = neighbours(table, rows[position : position + 1])
        assert alone[0].tolist() == [0] * len(alone[1])
        assert alone[1].equal(found[owner == position])
    assert [len(each) for each in neighbours(table, rows[:0])] == [0, 0]


def test_a_row_asked_for_twice_has_its_neighbours_twice(table):
    owner, found = neighbours(table, torch.tensor([7, 7]))
    assert found[owner == 0].equal(found[owner == 1])
    assert len(found) > 20


def test_all_small_cells_at_distance_one_are_neighbours(table, small_rows):
    owner, found = neighbours(table, small_rows)
    pairs = set(zip(small_rows[owner].tolist(), found.tolist(), strict=True))
    first, second = torch.cartesian_prod(small_rows, small_rows).T
    near = edit_distance(table.cells[first], table.cells[second]) == 1
    assert int(near.sum()) > 200
    assert set(zip(first[near].tolist(), second[near].tolist(), strict=True)) <= pairs


def test_the_table_s_cells_stay_as_they_are(table, rows):
    before = table.cells[rows]
    neighbours(table, rows)
    after = table.cells[rows]
    for name in ("vertices", "edges", "ops"):
        assert getattr(before, name).equal(getattr(after, name))


def test_the_smallest_cell_grows_only(table):
    row = (table.cells.vertices == 2).nonzero().flatten()
    _, found = neighbours(table, row)
    assert len(found) == 3
    assert table.cells.vertices[found].tolist() == [3, 3, 3]
    assert sorted(table.cells.ops[found, 0].tolist()) == [0, 1, 2]
