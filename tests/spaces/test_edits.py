import pytest
import torch
from torch_geometric.data import Batch

from gnn_nas.spaces.edits import change_ops, delete_vertices, toggle_edges
from gnn_nas.spaces.packed import pack

NONE = torch.empty(0, dtype=torch.long)


@pytest.fixture(params=[1, 200], ids=["batch of one", "batch"])
def cells(request, any_cells):
    """Cells of at least three vertices."""
    return any_cells[any_cells.vertices >= 3][: request.param]


def draws(count: int, share: float, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, generator=torch.Generator().manual_seed(seed)) < share


def assert_untouched(batch: Batch, copy: Batch) -> None:
    for name in ("x", "edge_index", "batch", "ptr"):
        assert batch[name].equal(copy[name])


def test_change_ops(cells, plain):
    batch = cells.to_batch()
    copy = batch.clone()
    interior = (batch.x[:, 1:-1].sum(1) == 1).nonzero().flatten()
    nodes = interior[draws(len(interior), 0.7)].flip(0)
    assert len(nodes)
    ops = torch.arange(len(nodes)) % 3
    edited = change_ops(batch, nodes, ops)

    expected = plain(cells)
    for node, op in zip(nodes.tolist(), ops.tolist(), strict=True):
        cell = int(batch.batch[node])
        expected[cell][0][node - int(batch.ptr[cell])] = op + 1
    assert plain(pack(edited)) == expected
    assert_untouched(batch, copy)


def test_toggle_edges(cells, plain):
    batch = cells.to_batch()
    copy = batch.clone()
    expected = plain(cells)
    chosen = []
    for cell, (labels, edges) in enumerate(expected):
        slots = [(x, y) for y in range(len(labels)) for x in range(y)]
        for x, y in [slots[i] for i in draws(len(slots), 0.3, seed=cell + 1).nonzero().flatten()]:
            chosen.append((cell, x + y * (y - 1) // 2))
            edges ^= {(x, y)}
    assert chosen
    numbers, slots = torch.tensor(chosen).flip(0).T
    edited = toggle_edges(batch, numbers, slots)
    assert plain(pack(edited)) == expected
    assert_untouched(batch, copy)
    again = toggle_edges(edited, numbers, slots)
    assert plain(pack(again)) == plain(cells)


def test_delete_vertices(cells, plain):
    batch = cells.to_batch()
    copy = batch.clone()
    interior = (batch.x[:, 1:-1].sum(1) == 1).nonzero().flatten()
    nodes = interior[draws(len(interior), 0.6)].flip(0)
    assert len(nodes)
    edited = delete_vertices(batch, nodes)

    deleted = set(nodes.tolist())
    expected = []
    for cell, (labels, edges) in enumerate(plain(cells)):
        start = int(batch.ptr[cell])
        kept = [v for v in range(len(labels)) if start + v not in deleted]
        number = {v: i for i, v in enumerate(kept)}
        expected.append(
            (
                [labels[v] for v in kept],
                {(number[x], number[y]) for x, y in edges if x in number and y in number},
            )
        )
    assert plain(pack(edited)) == expected
    assert_untouched(batch, copy)


@pytest.mark.parametrize(
    "edit",
    [
        lambda batch: change_ops(batch, NONE, NONE),
        lambda batch: toggle_edges(batch, NONE, NONE),
        lambda batch: delete_vertices(batch, NONE),
    ],
)
def test_no_edits_change_nothing(cells, plain, edit):
    assert plain(pack(edit(cells.to_batch()))) == plain(cells)


def test_results_come_apart_into_single_cells(cells, plain):
    batch = cells.to_batch()
    # Vertex 1 of every cell is interior; the first cell may be left without any edge.
    edited = [
        change_ops(batch, batch.ptr[:-1] + 1, torch.zeros(len(cells), dtype=torch.long)),
        toggle_edges(batch, torch.arange(len(cells)), torch.zeros(len(cells), dtype=torch.long)),
        delete_vertices(batch, batch.ptr[:-1] + 1),
    ]
    for result in edited:
        singles = result.to_data_list()
        assert [plain(pack(single))[0] for single in singles] == plain(pack(result))
        collated = Batch.from_data_list(singles)
        assert_untouched(result, collated)


def test_batches_that_pyg_collated_are_edited_alike(cells, plain):
    collated = Batch.from_data_list(cells.to_batch().to_data_list())
    nodes = collated.ptr[:-1] + 1
    expected = plain(pack(delete_vertices(cells.to_batch(), nodes)))
    assert plain(pack(delete_vertices(collated, nodes))) == expected
