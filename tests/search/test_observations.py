import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.search.observations import Observations
from gnn_nas.spaces.registry import CellRegistry
from gnn_nas.spaces.space import CellSpace


@pytest.fixture
def seen(table) -> Observations:
    return Observations(table, budget=10)


def tensor(*rewards: float) -> torch.Tensor:
    return torch.tensor(rewards, dtype=torch.float64)


def test_what_is_handed_out_is_pending_until_it_is_told(seen):
    seen.hand_out(torch.tensor([5, 400_000, 9]))
    seen.tell(torch.tensor([9, 5]), tensor(0.9, math.nan))
    assert seen.pending.tolist() == [400_000]
    assert seen.told.tolist() == [9, 5]
    assert seen.rows.tolist() == [9]
    assert seen.rewards.tolist() == [0.9]
    assert seen.told_rewards.isnan().tolist() == [False, True]
    assert seen.taken.nonzero().flatten().tolist() == [5, 9, 400_000]
    assert (len(seen), seen.remaining) == (3, 7)


@pytest.mark.parametrize("rows", [[9], [1, 2, 1], [1, 400_000]])
def test_no_cell_is_handed_out_twice(seen, rows):
    seen.hand_out(torch.tensor([5, 9]))
    seen.tell(torch.tensor([400_000]), tensor(0.1))
    with pytest.raises(ValueError, match="only once"):
        seen.hand_out(torch.tensor(rows))
    assert len(seen) == 3


@pytest.mark.parametrize("rows", [[9], [1, 1], [1, 9]])
def test_no_cell_is_told_twice_and_nothing_is_noted_then(seen, rows):
    seen.tell(torch.tensor([9]), tensor(math.nan))
    with pytest.raises(ValueError, match="only once"):
        seen.tell(torch.tensor(rows), torch.ones(len(rows)).double())
    assert seen.told.tolist() == [9]
    assert not seen.taken[1]


@pytest.mark.parametrize("reward", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_is_a_failure(seen, reward):
    given = tensor(reward, 0.5)
    seen.tell(torch.tensor([3, 4]), given)
    assert seen.rows.tolist() == [4]
    assert seen.told_rewards[0].isnan()
    assert math.isinf(given[0]) == math.isinf(reward)
    assert seen.rewards_of([4, 3, 7]).tolist() == [0.5, -math.inf, -math.inf]


def test_the_budget_is_no_more_than_there_are_cells(table):
    assert Observations(table, 10**9).remaining == Observations(table).remaining == len(table)


def test_only_what_is_allowed_is_drawn_and_handed_out_but_all_may_be_told(table):
    allowed = torch.zeros(len(table), dtype=torch.bool)
    allowed[[3, 5, 8, 400_000]] = True
    seen = Observations(table, 100, allowed)
    drawn = seen.draw_fresh(100, torch.Generator().manual_seed(0))
    assert sorted(drawn.tolist()) == [3, 5, 8, 400_000]
    with pytest.raises(ValueError, match="for none not allowed"):
        seen.hand_out(torch.tensor([3, 4]))
    seen.tell(torch.tensor([4]), tensor(0.5))
    assert seen.remaining == 4
    seen.hand_out(torch.tensor([3, 8]))
    state = seen.state_dict()
    again = Observations(table, 100, allowed)
    again.load_state_dict(state)
    for each in (seen, again):
        assert each.remaining == 2
        assert each.draw_fresh(9, torch.Generator().manual_seed(0)).tolist() in (
            [5, 400_000],
            [400_000, 5],
        )
    assert Observations(table, 3, allowed).remaining == 3


@pytest.mark.parametrize("is_part", [False, True])
def test_where_cells_are_met_later_they_are_fresh_but_for_a_part_of_a_space(is_part):
    registry = CellRegistry(CellSpace("toy", ("a", "b"), (1.0, 0.0), max_vertices=4, max_edges=6))
    generator = torch.Generator().manual_seed(0)
    registry.draw(3, generator)
    seen = Observations(registry, 10, torch.ones(3, dtype=torch.bool) if is_part else None)
    seen.hand_out(torch.tensor([1]))
    registry.draw(20, generator)
    assert seen.taken.tolist() == [False, True, False] + [is_part] * (len(registry) - 3)
    assert seen.remaining == (2 if is_part else 9)
    drawn = seen.draw_fresh(9, generator)
    assert sorted(drawn.tolist()) == [0, 2] if is_part else len(drawn.unique()) == 9
    assert not seen.taken[drawn].any()


def test_a_space_without_a_table_is_searched_on_and_on():
    registry = CellRegistry(CellSpace("toy", ("a", "b"), (1.0, 0.0), max_vertices=4, max_edges=6))
    seen = Observations(registry)
    assert seen.remaining > 10**9
    assert seen.horizon == 1
    drawn = seen.draw_fresh(1000, torch.Generator().manual_seed(0))
    # To its last cell.
    assert sorted(drawn.tolist()) == list(range(len(registry)))


def test_the_horizon_is_what_remains_or_as_many_again(table):
    for budget, horizon in ((10, 7), (None, 3)):
        seen = Observations(table, budget)
        seen.hand_out(torch.arange(3))
        assert seen.horizon == horizon


@given(st.lists(st.integers(0, 59), unique=True, max_size=57), st.integers(1, 80))
def test_fresh_cells_are_distinct_and_never_taken(table, taken, count):
    few = table.cells[:60]

    class Table:
        is_complete = True

        def __len__(self):
            return len(few)

    seen = Observations(Table())
    seen.hand_out(torch.tensor(taken, dtype=torch.long))
    drawn = seen.draw_fresh(count, torch.Generator().manual_seed(0)).tolist()
    assert len(drawn) == len(set(drawn)) == min(count, 60 - len(taken))
    assert not set(drawn) & set(taken)
