"""What is told of cells that were not measured, beside what is measured of them."""

import pytest
import torch

from gnn_nas.config import FunctionConfig
from gnn_nas.errors import UserError
from gnn_nas.function import told as module
from gnn_nas.function.measuring import MeasuredFunction
from gnn_nas.function.statistics import STATISTICS
from gnn_nas.function.told import ToldFunction, open_description
from gnn_nas.spaces.descriptors import load_standard_descriptors
from gnn_nas.spaces.index import open_index
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import CellTable, load_table

CONFIG = FunctionConfig(
    cells=400,
    images="noise",
    seeds=1,
    statistics=["synflow", "readout"],
    weight=1.0,
)
LARGE = CellSpace("told-large", ("a", "b", "c", "d"), (1.0, 1.0, 0.0, 0.0), 8, 12)


@pytest.fixture
def made_up(monkeypatch):
    """Statistics that are easy to tell, in place of measured ones: sums over ops, and noise."""

    def measure(space, config) -> MeasuredFunction:
        index = open_index(space)
        generator = torch.Generator().manual_seed(0)
        rows = index.draw(config.cells, generator)
        cells = index.cells.take(rows)
        values = torch.zeros(len(cells), len(STATISTICS), dtype=torch.double)
        values[:, list(STATISTICS).index("synflow")] = 100 + 7 * (cells.ops == 3).sum(1).double()
        values[:, list(STATISTICS).index("readout")] = torch.rand(
            len(cells), generator=generator, dtype=torch.double
        )
        return MeasuredFunction(cells, values, values[None])

    monkeypatch.setattr(module, "measure_function", measure)


@pytest.fixture(scope="module")
def small() -> CellTable:
    return load_table(NASBENCH201)


@pytest.mark.slow
def test_cells_that_were_not_measured_are_told(made_up, small, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path)
    function = ToldFunction(NASBENCH201, CONFIG)
    assert len(function.cells) == 40
    rows = torch.arange(len(small))
    everything = open_description(small, function)(small, rows)
    exact = load_standard_descriptors(small)
    assert torch.equal(everything[:, : exact.shape[1]], exact)
    convolutions = (small.cells.ops == 3).sum(1).float()
    synflow, readout = everything[:, exact.shape[1] :].float().T
    assert torch.corrcoef(torch.stack([synflow, convolutions]))[0, 1] > 0.9
    assert synflow.std() == pytest.approx(1, abs=0.25)
    # What is random is told to be average everywhere.
    assert readout.std() < 0.3
    again = open_description(small, ToldFunction(NASBENCH201, CONFIG))(small, rows)
    assert torch.equal(everything, again)
    assert len(list(tmp_path.glob("nasbench201-told-*.safetensors"))) == 1


def test_without_a_function_there_are_descriptors_alone(small):
    rows = torch.tensor([3, 1, 4])
    assert torch.equal(open_description(small)(small, rows), load_standard_descriptors(small)[rows])


@pytest.mark.slow
def test_cells_that_are_drawn_are_told_too(made_up):
    function = ToldFunction(LARGE, CONFIG)
    index = open_index(LARGE)
    rows = index.draw(300, torch.Generator().manual_seed(8))
    synflow = open_description(index, function)(index, rows)[:, -2].float()
    interior = index.cells.has_interior()[rows]
    counts = ((index.cells.ops[rows] == 3) & interior).sum(1)
    zeros = (index.cells.ops[rows] == 3).sum(1).float()
    assert (
        max(torch.corrcoef(torch.stack([synflow, each.float()]))[0, 1] for each in (counts, zeros))
        > 0.9
    )


def test_an_unknown_statistic_is_named(made_up):
    config = CONFIG.model_copy(update={"statistics": ["synflow", "accuracy"]})
    with pytest.raises(UserError, match=r"function.statistics: there is no accuracy: give some of"):
        ToldFunction(NASBENCH201, config)


@pytest.mark.slow
def test_measured_statistics_are_told_of_others():
    config = CONFIG.model_copy(
        update={"cells": 600, "images": "digits", "statistics": ["synflow", "gradient_norm"]}
    )
    function = ToldFunction(NASBENCH201, config)
    index = open_index(NASBENCH201)
    told = open_description(index, function)(index, index.rows_of(function.cells))[:, -2:]
    errors = (told.float() - function.values).square().mean(0) / function.values.var(0)
    assert (errors < 0.5).all()
