import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.spaces.forms import draw_forms
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.registry import CellRegistry
from gnn_nas.spaces.space import CellSpace

LARGE = CellSpace("large", tuple("abcde"), (1.0,) * 5, max_vertices=8, max_edges=12)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_rows_are_in_the_order_of_first_sight(table):
    registry = CellRegistry(NASBENCH101)
    cells = draw_forms(NASBENCH101, 30_000, generator())
    seen: dict[int, int] = {}
    expected = [seen.setdefault(row, len(seen)) for row in table.rows_of(cells).tolist()]
    parts = [registry.rows_of(part) for part in (cells[:7], cells[7:20_000], cells[20_000:])]
    assert torch.cat(parts).tolist() == expected
    assert len(registry) == len(seen)
    # Growing has lost nothing.
    assert registry.rows_of(cells).tolist() == expected
    assert torch.equal(table.rows_of(registry.cells), torch.tensor(list(seen)))


@given(st.integers(0, 2**32 - 1))
def test_isomorphic_cells_share_their_row_and_text(seed):
    cells = draw_forms(LARGE, 20, generator(seed))
    registry, other = CellRegistry(LARGE), CellRegistry(LARGE)
    rows = registry.rows_of(cells)
    # Elsewhere they are met in another order.
    there = other.rows_of(cells[torch.arange(19, -1, -1)]).flip(0)
    for row, row_there in zip(rows.tolist(), there.tolist(), strict=True):
        text = registry.hash_of(row)
        assert text == other.hash_of(row_there)
        assert registry.row_of_hash(text) == row
    assert torch.equal(registry.rows_of(registry.cells), torch.arange(len(registry)))


def test_a_text_is_enough_to_meet_its_cell():
    registry, fresh = CellRegistry(LARGE), CellRegistry(LARGE)
    (row,) = registry.draw(1, generator()).tolist()
    assert fresh.row_of_hash(registry.hash_of(row)) == 0
    assert fresh.hash_of(0) == registry.hash_of(row)
    assert torch.equal(fresh.cells.edges, registry.cells.edges[row : row + 1])


@pytest.mark.parametrize(
    "text", ["", "8", "80000000000000", "8fffffff000000", "zz", "9" + "1" * 13]
)
def test_what_spells_no_cell_is_refused(text):
    with pytest.raises(KeyError, match="no cell of large is spelt"):
        CellRegistry(LARGE).row_of_hash(text)


def test_what_is_no_cell_has_no_row():
    registry = CellRegistry(LARGE)
    cells = draw_forms(LARGE, 3, generator())
    broken = PackedCells(cells.vertices, cells.edges * torch.tensor([1, 0, 1]), cells.ops, LARGE)
    assert registry.rows_of(broken).tolist() == [0, -1, 1]
    with pytest.raises(ValueError, match="batch positions"):
        registry.index_of(PackedCells(*broken._parts(), LARGE).to_batch())


def test_draws_are_distinct_and_end_where_the_space_ends():
    registry = CellRegistry(LARGE)
    rows = registry.draw(5000, generator())
    assert len(rows.unique()) == 5000
    assert torch.equal(CellRegistry(LARGE).draw(5000, generator()), rows)
    small = CellRegistry(CellSpace("small", ("a",), (1.0,), max_vertices=4, max_edges=6))
    assert sorted(small.draw(100, generator()).tolist()) == list(range(len(small)))


def test_a_share_of_the_cells_is_held_out_wherever_they_are_met():
    first, second = CellRegistry(LARGE), CellRegistry(LARGE)
    rows = first.draw(50_000, generator())
    marked = first.share_below(rows, 0.05)
    assert 0.045 < marked.float().mean() < 0.055
    again = second.rows_of(first.cells[rows.flip(0)]).flip(0)
    assert torch.equal(second.share_below(again, 0.05), marked)
    assert bool((first.share_below(rows, 0.1) | ~marked).all())


def test_a_fixed_wiring_has_a_registry_too():
    registry = CellRegistry(NASBENCH201)
    rows = registry.draw(15_625, generator())
    assert len(rows.unique()) == len(rows) > 10_000
