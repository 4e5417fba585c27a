import dataclasses

import pytest
import torch
from torch_geometric.data import Data

from gnn_nas.spaces.checker import check_positives, networkx_distance
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.positives import PositiveSampler


def draw(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.slow
def test_networkx_agrees_with_the_exact_distance(table, small_rows):
    rows = torch.randint(len(table), (2, 60), generator=draw(0))
    small = small_rows[torch.randint(len(small_rows), (2, 60), generator=draw(1))]
    rows = torch.cat([rows, small], dim=1)
    first, second = table.cells[rows[0]], table.cells[rows[1]]
    exact = edit_distance(first, second).tolist()
    assert max(exact) > 8
    assert min(exact) < 3
    pairs = zip(first.to_batch().to_data_list(), second.to_batch().to_data_list(), strict=True)
    assert [networkx_distance(a, b) for a, b in pairs] == exact


@pytest.mark.slow
def test_upper_bound_decides_between_distance_and_none(table):
    rows = torch.randint(len(table), (2, 30), generator=draw(2))
    first, second = table.cells[rows[0]], table.cells[rows[1]]
    exact = edit_distance(first, second).tolist()
    pairs = zip(first.to_batch().to_data_list(), second.to_batch().to_data_list(), strict=True)
    for (a, b), distance in zip(pairs, exact, strict=True):
        assert networkx_distance(a, b, upper_bound=distance) == distance
        assert networkx_distance(a, b, upper_bound=distance - 1) is None


def test_input_and_output_are_fixed():
    """An op turned into the output would save an edit: 3 instead of a vertex and three edges."""
    one_hot = torch.eye(5)
    edge = Data(x=one_hot[[0, 4]], edge_index=torch.tensor([[0], [1]]))
    chain = Data(x=one_hot[[0, 1, 4]], edge_index=torch.tensor([[0, 1], [1, 2]]))
    assert networkx_distance(edge, chain) == 4
    assert networkx_distance(chain, edge) == 4
    assert networkx_distance(chain, edge, upper_bound=3) is None


def test_a_sample_of_positives_passes(table):
    anchors = torch.randint(1, len(table), (3,), generator=draw(3))
    report = check_positives(PositiveSampler(table), anchors, 7, draw(4))
    assert report.checked_pairs == 3 * 28
    assert report.violations == []
    assert report.max_anchor_distance == 3
    assert 3 < report.max_positive_distance <= 6


class TamperedSampler(PositiveSampler):
    """Gives the positives of other anchors, or the anchors themselves."""

    def __init__(self, table, rows):
        super().__init__(table)
        self.rows = rows

    def sample(self, anchors, count, generator):
        positives = super().sample(anchors, count, generator)
        cells = self.table.cells[self.rows].to_batch()
        return dataclasses.replace(positives, rows=self.rows, cells=cells)


def test_cells_too_far_away_are_reported_with_their_distance(table):
    rows = torch.tensor([10, 20_000, 300_000])
    cells = table.cells
    to_anchor = edit_distance(cells[torch.tensor([7, 7, 7])], cells[rows])
    between = edit_distance(cells[rows[[0, 0, 1]]], cells[rows[[1, 2, 2]]])
    assert to_anchor.min() > 3
    assert between.min() > 6
    report = check_positives(TamperedSampler(table, rows), torch.tensor([7]), 3, draw(5))
    assert report.checked_pairs == 6
    assert report.max_anchor_distance == to_anchor.max()
    assert report.max_positive_distance == between.max()
    assert len(report.violations) == 6
    assert f"is at distance {to_anchor[0]}" in report.violations[0]
    assert f"are at distance {between[0]}" in report.violations[3]


def test_an_anchor_given_as_its_own_positive_is_reported(table):
    sampler = TamperedSampler(table, torch.tensor([7, 7]))
    report = check_positives(sampler, torch.tensor([7]), 2, draw(6))
    assert report.max_anchor_distance == 0
    assert len(report.violations) == 2
    assert all("row 7" in line and "distance 0" in line for line in report.violations)


def test_an_anchor_without_positives_is_refused(table):
    smallest = (table.cells.vertices == 2).nonzero().flatten()
    with pytest.raises(ValueError, match="no positives"):
        check_positives(PositiveSampler(table), smallest, 7, draw(7))
