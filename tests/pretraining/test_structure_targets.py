import torch
from torch import Tensor

from gnn_nas.cells.structure import structure


def test_they_are_standard_deviations_from_the_mean_cell_within_bounds(table, targets):
    assert targets.dtype == torch.float16
    assert targets.shape == (423_624, 141)
    mean = mean_over_cells(table, lambda cells: cells)
    deviation = mean_over_cells(table, lambda cells: (cells - mean).square()).sqrt()
    # Pairs of input and output with a path between them: one in every cell.
    constant = deviation < 1e-9
    assert constant.nonzero().flatten().tolist() == [88]
    assert (targets[:, constant] == 0).all()

    rows = torch.arange(0, len(table), 20)
    raw = torch.cat(structure(table.cells[rows]), dim=1).double()
    expected = ((raw - mean) / deviation)[:, ~constant]
    assert expected.abs().max() > 8
    got = targets[rows][:, ~constant].double()
    torch.testing.assert_close(got, expected.clamp(-4, 4), rtol=1e-3, atol=3e-3)


def mean_over_cells(table, of) -> Tensor:
    """Mean of a function of the raw structure, column by column."""
    every = torch.arange(len(table)).split(10_000)
    chunks = (torch.cat(structure(table.cells[rows]), dim=1).double() for rows in every)
    return sum(of(chunk).sum(0) for chunk in chunks) / len(table)


def test_most_are_far_from_the_bounds(targets):
    assert targets.max() == -targets.min() == 4
    some = targets[::20]
    assert (some.abs() == 4).float().mean() < 0.02
    assert some.mean(0).abs().max() < 0.1
    deviation = some.std(0)[torch.arange(141) != 88]
    assert 0.7 < deviation.min() < deviation.max() < 1.05
