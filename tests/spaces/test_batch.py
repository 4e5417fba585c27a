import pytest
import torch
from torch_geometric.data import Batch, Data

from gnn_nas.spaces.batch import join, select, split


def to_data(labels: list[int], edges: set[tuple[int, int]]) -> Data:
    ordered = sorted(edges, key=lambda edge: (edge[1], edge[0]))
    edge_index = torch.tensor(ordered, dtype=torch.long).reshape(-1, 2).T
    return Data(x=torch.eye(5)[labels], edge_index=edge_index)


def assert_same_batch(first: Batch, second: Batch) -> None:
    assert first.num_graphs == second.num_graphs
    for name in ("x", "edge_index", "batch", "ptr"):
        assert first[name].dtype == second[name].dtype
        assert first[name].equal(second[name])
    for a, b in zip(first.to_data_list(), second.to_data_list(), strict=True):
        assert set(a.keys()) == set(b.keys()) == {"x", "edge_index"}
        assert a.x.equal(b.x)
        assert a.edge_index.equal(b.edge_index)


def test_to_batch_is_what_pyg_collates(any_cells, plain):
    cells = any_cells[:1500]
    expected = Batch.from_data_list([to_data(*cell) for cell in plain(cells)])
    batch = cells.to_batch()
    assert_same_batch(batch, expected)
    assert batch[7].x.equal(expected[7].x)


def test_join_is_what_pyg_collates(any_cells):
    first, second = any_cells[:40], any_cells[40:100]
    joined = join(first.to_batch(), second.to_batch())
    assert_same_batch(joined, any_cells[:100].to_batch())


@pytest.mark.parametrize("parts", [1, 3, 20])
def test_split_is_the_batches_of_the_parts(any_cells, parts):
    cells = any_cells[:60]
    found = split(cells.to_batch(), parts)
    assert len(found) == parts
    for number, part in enumerate(found):
        size = 60 // parts
        assert_same_batch(part, cells[number * size : (number + 1) * size].to_batch())


def test_a_split_into_unequal_parts_is_refused(any_cells):
    with pytest.raises(ValueError, match="60 cells cannot be cut into 7 equal parts"):
        split(any_cells[:60].to_batch(), 7)


def test_select_is_what_pyg_selects(any_cells):
    cells = any_cells[:100]
    chosen = torch.arange(100) % 3 == 1
    for mask in (chosen, torch.ones_like(chosen), torch.zeros_like(chosen)):
        assert_same_batch(select(cells.to_batch(), mask), cells[mask].to_batch())
    expected = Batch.from_data_list(cells.to_batch().index_select(chosen))
    assert_same_batch(select(cells.to_batch(), chosen), expected)
