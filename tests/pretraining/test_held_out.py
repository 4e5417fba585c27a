import pytest
import torch

from gnn_nas.pretraining.held_out import held_out_cells


def test_it_is_one_cell_in_a_hundred(table):
    marked = held_out_cells(table, 0.01)
    assert marked.dtype == torch.bool
    assert marked.shape == (423_624,)
    # Within three standard deviations of a fair draw.
    assert abs(int(marked.sum()) - 4236) < 195


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999])
def test_the_hash_as_a_number_decides(table, share):
    marked = held_out_cells(table, share)
    for row in torch.randint(len(table), (500,)).tolist():
        assert marked[row].item() == (int(table.hash_of(row)[:8], 16) < share * 2**32)


def test_a_larger_share_holds_out_the_same_cells_and_more(table):
    smaller, larger = held_out_cells(table, 0.01), held_out_cells(table, 0.02)
    assert larger[smaller].all()
    assert larger.sum() > smaller.sum()


def test_it_is_the_same_whatever_the_random_state(table):
    torch.manual_seed(1)
    first = held_out_cells(table, 0.01)
    torch.manual_seed(2)
    assert torch.equal(first, held_out_cells(table, 0.01))
    assert not held_out_cells(table, 0.0).any()


def test_every_size_of_cell_is_held_out_in_proportion(table):
    marked = held_out_cells(table, 0.01)
    for vertices in (5, 6, 7):
        own = table.cells.vertices == vertices
        expected = 0.01 * int(own.sum())
        assert abs(int(marked[own].sum()) - expected) < 4 * expected**0.5
