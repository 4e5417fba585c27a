from collections import Counter

import pytest
import torch

from gnn_nas.evaluation.cell_pairs import (
    PAPER_RATIOS,
    CellPairs,
    pairs_by_distance,
    random_pairs,
    ratios,
)
from gnn_nas.spaces.checker import networkx_distance
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.registry import CellRegistry
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import CellTable, load_table


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def equal(one: CellPairs, other: CellPairs) -> bool:
    return all(
        torch.equal(a, b)
        for a, b in zip(*(vars(each).values() for each in (one, other)), strict=True)
    )


@pytest.mark.parametrize("seed", range(3))
def test_distances_of_random_pairs_are_distributed_as_in_the_paper(table, seed):
    """The paper's Fig. 1a: every share within three standard errors of the difference."""
    beside = ratios(random_pairs(table, 10_000, generator(seed)).distance)
    assert [each.distance for each in beside] == ["1", "2", "3", "4", "5", "6", ">6"]
    assert [each.paper for each in beside[:6]] == [0.0002, 0.0001, 0.0024, 0.0073, 0.0291, 0.0798]
    assert beside[6].paper == pytest.approx(0.8811)
    assert sum(each.pairs for each in beside) == 10_000
    assert all(each.standard_errors_apart < 3 for each in beside)


def test_shares_are_compared_under_their_pooled_ratio():
    """6 of 200 pairs at distance 3, against 24 of the paper's 10,000."""
    distance = torch.tensor([3] * 6 + [9] * 194)
    third = ratios(distance)[2]
    pooled = 30 / 10_200
    error = (pooled * (1 - pooled) / 200 + pooled * (1 - pooled) / 10_000) ** 0.5
    assert (third.pairs, third.ratio) == (6, 0.03)
    assert third.standard_error == pytest.approx(error)
    assert third.standard_errors_apart == pytest.approx((0.03 - PAPER_RATIOS[3]) / error)


@pytest.mark.slow
def test_random_pairs_are_all_pairs_of_different_cells_alike_often(table):
    few = torch.arange(5)
    small = CellTable(table.cells[few], table.module_hash[few], table.row_of_form, table.first_form)
    pairs = random_pairs(small, 20_000, generator())
    counts = Counter(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert len(counts) == 20
    assert all(first != second for first, second in counts)
    assert min(counts.values()) > 850
    assert max(counts.values()) < 1150


@pytest.mark.slow
def test_every_distance_has_its_pairs_exactly(table):
    pairs = pairs_by_distance(table, 30, generator())
    assert pairs.distance.tolist() == [at for at in range(1, 13) for _ in range(30)]
    assert torch.equal(
        edit_distance(table.cells[pairs.first], table.cells[pairs.second]), pairs.distance
    )
    assert equal(pairs, pairs_by_distance(table, 30, generator()))
    assert not equal(pairs, pairs_by_distance(table, 30, generator(1)))


def test_networkx_finds_the_same_distances(table):
    pairs = pairs_by_distance(table, 3, generator(2))
    parts = (part.tolist() for part in vars(pairs).values())
    for first, second, distance in zip(*parts, strict=True):
        if distance <= 6:
            one, other = (table.cells[row : row + 1].to_batch()[0] for row in (first, second))
            assert networkx_distance(one, other, upper_bound=6) == distance


def test_pairs_of_a_space_without_a_table(table):
    registry = CellRegistry(CellSpace("own", ("a", "b", "c"), (1.0,) * 3, 8, 11))
    pairs = random_pairs(registry, 200, generator())
    assert 190 < len(pairs) <= 200
    assert bool((pairs.first != pairs.second).all())
    even = pairs_by_distance(registry, 3, generator())
    counts = even.distance.bincount().tolist()
    assert counts[:4] == [0, 3, 3, 3]
    assert set(counts[4:]) <= {0, 3}
    assert torch.equal(
        edit_distance(registry.cells[even.first], registry.cells[even.second]), even.distance
    )


def test_distances_that_a_space_lacks_are_left_out():
    """Two ops on four vertices in a row: cells differ in one op or in two."""
    space = CellSpace.wired("row", ("a", "b"), (1.0, 1.0), [(0, 1), (1, 2), (2, 3)])
    pairs = pairs_by_distance(load_table(space), 3, generator())
    assert pairs.distance.tolist() == [1, 1, 1, 2, 2, 2]
