import pytest
import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.spaces import standard_descriptors as module
from gnn_nas.spaces.descriptors import descriptors
from gnn_nas.spaces.standard_descriptors import load_standard_descriptors


def test_they_are_standard_deviations_from_the_mean_cell_within_bounds(table, standard):
    assert standard.dtype == torch.float16
    assert standard.shape == (423_624, 141)
    mean = mean_over_cells(table, lambda cells: cells)
    deviation = mean_over_cells(table, lambda cells: (cells - mean).square()).sqrt()
    # Pairs of input and output with a path between them: one in every cell.
    constant = deviation < 1e-9
    assert constant.nonzero().flatten().tolist() == [88]
    assert (standard[:, constant] == 0).all()

    rows = torch.arange(0, len(table), 20)
    raw = torch.cat(descriptors(table.cells[rows]), dim=1).double()
    expected = ((raw - mean) / deviation)[:, ~constant]
    assert expected.abs().max() > 8
    got = standard[rows][:, ~constant].double()
    torch.testing.assert_close(got, expected.clamp(-4, 4), rtol=1e-3, atol=3e-3)


def mean_over_cells(table, of) -> Tensor:
    """Mean of a function of the raw descriptors, column by column."""
    every = torch.arange(len(table)).split(10_000)
    chunks = (torch.cat(descriptors(table.cells[rows]), dim=1).double() for rows in every)
    return sum(of(chunk).sum(0) for chunk in chunks) / len(table)


def test_most_are_far_from_the_bounds(standard):
    assert standard.max() == -standard.min() == 4
    some = standard[::20]
    assert (some.abs() == 4).float().mean() < 0.02
    assert some.mean(0).abs().max() < 0.1
    deviation = some.std(0)[torch.arange(141) != 88]
    assert 0.7 < deviation.min() < deviation.max() < 1.05


def test_they_are_computed_once_and_then_opened(table, standard, tmp_path, monkeypatch):
    computed = []
    monkeypatch.setattr(
        module, "standard_descriptors", lambda _table: computed.append(1) or standard
    )
    for _ in range(2):
        assert torch.equal(load_standard_descriptors(table, tmp_path / "cache"), standard)
    assert len(computed) == 1
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    assert torch.equal(load_standard_descriptors(table, tmp_path / "cache"), standard)
    assert len(computed) == 2
    monkeypatch.setattr(module, "_VERSION", module._VERSION + 1)
    load_standard_descriptors(table, tmp_path / "cache")
    assert len(computed) == 3


def test_what_is_computed_is_that_of_the_version(standard):
    # Older caches are misread where other figures have the same version: a new sum needs a new one.
    known_sums = {1: 153.2634}
    some = standard[::1000].double()
    of_rows = torch.arange(len(some), dtype=torch.float64).cos()
    of_columns = torch.arange(1, 142, dtype=torch.float64).sin()
    # Rounding to half precision differs between machines, by thousandths of the sum.
    assert (of_rows @ some @ of_columns).item() == pytest.approx(
        known_sums[module._VERSION], abs=0.005
    )


def test_a_cache_that_cannot_be_written_is_named(table, standard, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "standard_descriptors", lambda _table: standard)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write the cache folder .*file.cache"):
        load_standard_descriptors(table, tmp_path / "file" / "cache")
