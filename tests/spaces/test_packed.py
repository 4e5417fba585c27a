import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.data import Batch, Data

from gnn_nas.spaces.packed import PackedCells, pack


def assert_same_cells(first: PackedCells, second: PackedCells) -> None:
    assert first.vertices.equal(second.vertices)
    assert first.edges.equal(second.edges)
    assert first.ops.equal(second.ops)


def test_dense_views(any_cells, plain):
    adjacency, bits = any_cells.adjacency(), any_cells.edge_bits()
    has_vertex, has_interior = any_cells.has_vertex(), any_cells.has_interior()
    features = any_cells.features()
    for number, (labels, edges) in enumerate(plain(any_cells)):
        assert {tuple(edge) for edge in adjacency[number].nonzero().tolist()} == edges
        slots = {x + y * (y - 1) // 2 for x, y in edges}
        assert set(bits[number].nonzero().flatten().tolist()) == slots
        assert has_vertex[number].tolist() == [v < len(labels) for v in range(7)]
        assert has_interior[number].tolist() == [i < len(labels) - 2 for i in range(5)]
        assert features[number].tolist() == labels + [5] * (7 - len(labels))


def test_from_bits_undoes_edge_bits(any_cells):
    bits = any_cells.edge_bits()
    assert_same_cells(PackedCells.from_bits(any_cells.vertices, bits, any_cells.ops), any_cells)


@pytest.mark.parametrize("shape", [(), (4,), (4, 3)])
def test_at_output_is_the_entry_of_each_cell_s_last_vertex(any_cells, shape):
    cells = any_cells[:200]
    values = torch.rand(200, *shape, 7, generator=torch.Generator().manual_seed(0))
    for found, value, vertices in zip(
        cells.at_output(values), values, cells.vertices.tolist(), strict=True
    ):
        assert found.equal(value[..., vertices - 1])


def test_cells_are_selected_and_put_together(any_cells):
    numbers = torch.tensor([5, 0, 5, 700])
    assert_same_cells(any_cells.take(numbers), any_cells[numbers])
    assert_same_cells(
        PackedCells.cat([any_cells[:10], any_cells[10:10], any_cells[10:]]), any_cells
    )


@st.composite
def cells_and_order(draw) -> tuple[list[int], set[tuple[int, int]], list[int]]:
    """Labels and edges of a cell, and some of its vertices, none before what it reads from.

    A number that the cell has no vertex for may be among them, where there is room.
    """
    vertices = draw(st.integers(2, 7))
    labels = [
        0,
        *draw(st.lists(st.integers(1, 3), min_size=vertices - 2, max_size=vertices - 2)),
        4,
    ]
    slots = [(x, y) for y in range(vertices) for x in range(y)]
    edges = draw(st.sets(st.sampled_from(slots)))
    inner = draw(st.sets(st.sampled_from(range(1, vertices - 1)))) if vertices > 2 else set()
    if vertices < 7 and draw(st.booleans()):
        inner |= {vertices}
    order, left = [0], set(inner)
    while left:
        ready = [v for v in sorted(left) if not any((u, v) in edges for u in left)]
        order.append(draw(st.sampled_from(ready)))
        left.remove(order[-1])
    return labels, edges, [*order, vertices - 1]


@given(st.lists(cells_and_order(), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_renumbered_agrees_with_plain_loops(cases, random):
    cells = PackedCells.from_bits(
        torch.tensor([len(labels) for labels, _, _ in cases]),
        torch.tensor(
            [[(x, y) in edges for y in range(7) for x in range(y)] for _, edges, _ in cases]
        ),
        torch.tensor(
            [[op - 1 for op in labels[1:-1]] + [0] * (7 - len(labels)) for labels, _, _ in cases]
        ),
    )
    kept = [order for _, _, order in cases]
    orders = []
    for order in kept:
        dropped = [v for v in range(7) if v not in order]
        random.shuffle(dropped)
        orders.append(order + dropped)
    found = cells.renumbered(torch.tensor(orders), torch.tensor([len(order) for order in kept]))
    adjacency = found.adjacency()
    for number, (labels, edges, order) in enumerate(cases):
        names = [0 if v >= len(labels) else labels[v] - 1 for v in order[1:-1]]
        assert found.ops[number].tolist() == names + [0] * (5 - len(names))
        expected = {(order.index(x), order.index(y)) for x, y in edges if {x, y} <= set(order)}
        assert {tuple(edge) for edge in adjacency[number].nonzero().tolist()} == expected
        assert found.vertices[number] == len(order)


def test_their_own_order_changes_nothing(any_cells):
    own = torch.arange(7).expand(len(any_cells), -1)
    assert_same_cells(any_cells.renumbered(own, any_cells.vertices), any_cells)


ONE_HOT = torch.eye(5)
CHAIN = torch.tensor([[0, 1], [1, 2]])


def to_data(labels: list[int], edges: set[tuple[int, int]]) -> Data:
    ordered = sorted(edges, key=lambda edge: (edge[1], edge[0]))
    edge_index = torch.tensor(ordered, dtype=torch.long).reshape(-1, 2).T
    return Data(x=ONE_HOT[labels], edge_index=edge_index)


def test_pack_undoes_to_batch(any_cells):
    assert_same_cells(pack(any_cells.to_batch()), any_cells)


def test_pack_reads_batches_and_cells_that_pyg_made(any_cells, plain):
    cells = any_cells[:300]
    data = [to_data(*cell) for cell in plain(cells)]
    assert_same_cells(pack(Batch.from_data_list(data)), cells)
    for number, cell in enumerate(data):
        assert_same_cells(pack(cell), cells[number : number + 1])


def test_pack_does_not_mind_the_order_of_edges():
    cell = Data(x=ONE_HOT[[0, 3, 4]], edge_index=CHAIN)
    flipped = Data(x=cell.x, edge_index=CHAIN.flip(1))
    assert_same_cells(pack(cell), pack(flipped))


def test_empty_batch():
    none = PackedCells(*(torch.zeros(shape, dtype=torch.long) for shape in ((0,), (0,), (0, 5))))
    batch = none.to_batch()
    assert batch.num_graphs == 0
    assert_same_cells(pack(batch), none)


@pytest.mark.parametrize(
    ("labels", "edge_index", "message"),
    [
        ([0], [[], []], "2 to 7 vertices"),
        ([0, 1, 1, 1, 1, 1, 1, 4], [[0], [7]], "2 to 7 vertices"),
        ([0, 1, 4], [[0, 2], [1, 1]], "lower to a higher"),
        ([0, 1, 4], [[0, 1], [1, 1]], "lower to a higher"),
        ([0, 1, 4], [[0, 1, 0], [1, 2, 1]], "same edge twice"),
        ([0, 1, 4], [[0, 1], [1, 3]], "outside 0 to 2"),
        ([0, 1, 4], [[0, -2], [1, 2]], "outside 0 to 2"),
        ([1, 1, 4], [[0, 1], [1, 2]], "one-hot"),
        ([0, 0, 4], [[0, 1], [1, 2]], "one-hot"),
        ([0, 4, 4], [[0, 1], [1, 2]], "one-hot"),
        ([0, 1, 1], [[0, 1], [1, 2]], "one-hot"),
        ([4, 1, 0], [[0, 1], [1, 2]], "one-hot"),
    ],
)
def test_malformed_cells_are_refused(labels, edge_index, message):
    edge_index = torch.tensor(edge_index, dtype=torch.long)
    with pytest.raises(ValueError, match=message):
        pack(Data(x=ONE_HOT[labels], edge_index=edge_index))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (ONE_HOT[[0, 1, 4]] * 0.9, "one-hot"),
        (torch.ones(3, 5), "one-hot"),
        (torch.tensor([[1.0, 0, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 0, 0, 1]]), "one-hot"),
        (torch.eye(4)[[0, 1, 3]], "5 columns"),
        (torch.tensor([0, 1, 4]), "5 columns"),
        (None, "needs x and edge_index"),
    ],
)
def test_malformed_features_are_refused(x, message):
    with pytest.raises(ValueError, match=message):
        pack(Data(x=x, edge_index=CHAIN))


def test_an_edge_between_two_cells_of_a_batch_is_refused():
    batch = Batch.from_data_list([Data(x=ONE_HOT[[0, 1, 4]], edge_index=CHAIN)] * 2)
    batch.edge_index[1, 1] = 5
    with pytest.raises(ValueError, match="of the same cell"):
        pack(batch)
