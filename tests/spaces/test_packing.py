import pytest
import torch
from torch_geometric.data import Batch, Data

from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.packing import pack

ONE_HOT = torch.eye(5)
CHAIN = torch.tensor([[0, 1], [1, 2]])


def to_data(labels: list[int], edges: set[tuple[int, int]]) -> Data:
    ordered = sorted(edges, key=lambda edge: (edge[1], edge[0]))
    edge_index = torch.tensor(ordered, dtype=torch.long).reshape(-1, 2).T
    return Data(x=ONE_HOT[labels], edge_index=edge_index)


def assert_same_cells(first: PackedCells, second: PackedCells) -> None:
    assert first.vertices.equal(second.vertices)
    assert first.edges.equal(second.edges)
    assert first.ops.equal(second.ops)


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
