import numpy as np
import pytest
import torch

from gnn_nas.tasks import network
from gnn_nas.tasks.network import CellBlock, CellNetwork, NetworkConfig
from gnn_nas.tasks.network_size import parameter_counts

OFFICIAL = NetworkConfig()


@pytest.fixture
def undrawn(monkeypatch) -> None:
    """Makes networks whose weights nobody draws: thousands of them take seconds."""
    for layer in (torch.nn.Conv2d, torch.nn.BatchNorm2d, torch.nn.Linear):
        monkeypatch.setattr(layer, "reset_parameters", lambda self: None)
    monkeypatch.setattr(network, "_initialise", lambda module: None)


def built(cell, config: NetworkConfig) -> int:
    with torch.device("meta"):
        return sum(weight.numel() for weight in CellNetwork(cell, config).parameters())


def test_the_official_counts_of_all_cells(benchmark):
    counts = parameter_counts(benchmark.table.cells, OFFICIAL)
    assert counts[0] == 8_555_530
    assert len(counts) == 423_624
    assert torch.equal(counts, benchmark.parameters(benchmark.all_rows()))


def test_the_known_extremes(table):
    counts = parameter_counts(table.cells, OFFICIAL)
    assert (counts.min().item(), counts.max().item()) == (227_274, 49_979_274)


def test_a_block_is_built_for_every_distinct_count(table, undrawn):
    config = NetworkConfig(stacks=1, cells_per_stack=1)
    counts, first = np.unique(parameter_counts(table.cells, config), return_index=True)
    assert len(counts) == 1190
    blocks = (CellBlock(table.cells[row : row + 1], 128, 128, 0.1) for row in first)
    found = [sum(weight.numel() for weight in block.parameters()) for block in blocks]
    stem, dense = 3 * 128 * 9 + 2 * 128, 128 * 10 + 10
    assert found == (counts - stem - dense).tolist()


@pytest.mark.parametrize(
    "config",
    [
        OFFICIAL,
        NetworkConfig(stem_channels=5, stacks=1, cells_per_stack=1, classes=1, in_channels=1),
        NetworkConfig(stem_channels=17, stacks=4, cells_per_stack=2, classes=100, in_channels=2),
    ],
)
def test_networks_of_any_size_are_as_large_as_counted(table, undrawn, config):
    rows = torch.randint(len(table), (20,), generator=torch.Generator().manual_seed(1))
    counts = parameter_counts(table.cells[rows], config).tolist()
    assert [built(table.cells[row : row + 1], config) for row in rows.tolist()] == counts
