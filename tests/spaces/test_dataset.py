import numpy as np
import pytest
import torch
from torch_geometric.data import Batch, Data
from torch_geometric.loader import DataLoader
from torch_geometric.transforms import Compose, Constant

from gnn_nas import spaces as cells
from gnn_nas.spaces.dataset import CellDataset, RandomEdit
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.packed import pack
from gnn_nas.spaces.positives import PositiveSampler

LAST = 423_623


@pytest.fixture
def dataset(table):
    return CellDataset(table)


@pytest.mark.parametrize(
    ("index", "row"),
    [
        (0, 0),
        (LAST, LAST),
        (-1, LAST),
        (-LAST - 1, 0),
        (np.int64(7), 7),
        (torch.tensor(-3), LAST - 2),
    ],
)
def test_an_int_gives_a_cell(dataset, table, index, row):
    cell = dataset[index]
    assert isinstance(cell, Data)
    assert not isinstance(cell, Batch)
    assert table.index_of(cell).tolist() == [row]


@pytest.mark.parametrize(
    ("index", "rows"),
    [
        (slice(3, 6), [3, 4, 5]),
        (slice(None, None, 150_000), [0, 150_000, 300_000]),
        (slice(4, 0, -2), [4, 2]),
        (slice(-2, None), [LAST - 1, LAST]),
        (slice(423_622, 10**9), [LAST - 1, LAST]),
        (slice(5, 5), []),
        (slice(6, 5), []),
        ([5, -1, 5], [5, LAST, 5]),
        ([], []),
        (range(2, 4), [2, 3]),
        (np.array([9, 8]), [9, 8]),
        (np.array([9, 8], dtype=np.uint8), [9, 8]),
        (torch.tensor([1, -2]), [1, LAST - 1]),
        (torch.tensor([1], dtype=torch.int32), [1]),
    ],
)
def test_many_indices_give_a_batch(dataset, table, index, rows):
    batch = dataset[index]
    assert isinstance(batch, Batch)
    assert batch.num_graphs == len(rows)
    assert table.index_of(batch).tolist() == rows


@pytest.mark.parametrize("make", [torch.tensor, np.array, list], ids=["tensor", "numpy", "list"])
def test_masks_select_cells(dataset, table, make):
    mask = [False] * len(dataset)
    mask[3] = mask[LAST] = True
    assert table.index_of(dataset[make(mask)]).tolist() == [3, LAST]


@pytest.mark.parametrize(
    "index", [LAST + 1, -LAST - 2, [0, LAST + 1], torch.tensor([0, -LAST - 2]), [True, False], True]
)
def test_indices_out_of_range(dataset, index):
    with pytest.raises(IndexError, match="423624 cells"):
        dataset[index]


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (1.0, "integers or bools"),
        ([0.5], "integers or bools"),
        ([[1, 2]], "one dimension"),
        ("1", None),
        (None, None),
    ],
)
def test_other_indices(dataset, index, message):
    with pytest.raises(TypeError, match=message):
        dataset[index]


def test_iteration_yields_the_cells_in_order(dataset, table):
    cells = [cell for cell, _ in zip(dataset, range(50), strict=False)]
    assert [table.index_of(cell).item() for cell in cells] == list(range(50))
    assert len(dataset) == len(table) == 423_624


def test_loaders_of_pyg_collate_it(dataset, table):
    loader = DataLoader(dataset, batch_size=16, sampler=range(100, 140))
    batches = list(loader)
    assert [batch.num_graphs for batch in batches] == [16, 16, 8]
    assert torch.cat([table.index_of(batch) for batch in batches]).tolist() == [*range(100, 140)]


def test_classes_of_pyg_s_are_exported_though_imported_late():
    assert cells.CellDataset is CellDataset
    assert cells.RandomEdit is RandomEdit
    with pytest.raises(AttributeError, match="has no attribute 'Random'"):
        _ = cells.Random


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
