import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.transforms import Compose, Constant

from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.packing import pack
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.transform import RandomEdit


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_gives_one_positive(table):
    transform = RandomEdit(PositiveSampler(table), generator())
    for row in range(1, 40):
        cells = table.cells[row : row + 1]
        before = cells.to_batch()[0]
        after = transform(before)
        assert isinstance(after, Data)
        assert not isinstance(after, Batch)
        table.index_of(after)
        assert 1 <= edit_distance(cells, pack(after)).item() <= 3
        # The argument stays as it was.
        assert table.index_of(before).tolist() == [row]


def test_same_seed_same_cell(table):
    cell = table.cells[:1].to_batch()[0]
    first, again, other = (
        [table.index_of(transform(cell)).item() for _ in range(5)]
        for transform in (RandomEdit(PositiveSampler(table), generator(s)) for s in (1, 1, 2))
    )
    assert first == again != other
    assert len(set(first)) > 1


def test_fits_into_a_composition(table):
    transform = Compose([RandomEdit(PositiveSampler(table), generator()), Constant()])
    assert transform(table.cells[:1].to_batch()[0]).x.shape[1] == 6


def test_what_else_the_cell_carried_is_dropped(table):
    cell = table.cells[:1].to_batch()[0]
    cell.y = torch.tensor([0.94])
    assert set(RandomEdit(PositiveSampler(table), generator())(cell).keys()) == {"x", "edge_index"}


def test_forbidden_rows_are_heeded(table):
    sampler = PositiveSampler(table, torch.ones(len(table), dtype=torch.bool))
    with pytest.raises(ValueError, match="no positive found"):
        RandomEdit(sampler, generator())(table.cells[:1].to_batch()[0])


def test_cells_without_a_row_or_a_positive_are_refused(table):
    one_hot = torch.eye(5)
    transform = RandomEdit(PositiveSampler(table), generator())
    edge = Data(x=one_hot[[0, 4]], edge_index=torch.tensor([[0], [1]]))
    with pytest.raises(ValueError, match="no positives"):
        transform(edge)
    unpruned = Data(x=one_hot[[0, 1, 4]], edge_index=torch.tensor([[0, 0], [1, 2]]))
    with pytest.raises(ValueError, match="not valid unpruned"):
        transform(unpruned)
