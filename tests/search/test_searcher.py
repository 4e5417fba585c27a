import math
from types import SimpleNamespace

import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.search.method import Method
from gnn_nas.search.searcher import Searcher


@pytest.fixture
def searcher(table) -> Searcher:
    return Searcher(table, method="random")


def test_cells_are_as_the_official_api_knows_them_and_told_in_any_way(searcher, table):
    from gnn_nas.benchmarks.official_api import ModelSpec

    first, second, third, fourth = searcher.ask(4)
    assert len(first.matrix) == len(first.ops) == len(first.to_data().x)
    assert ModelSpec(first.matrix, first.ops).hash_spec(
        ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]
    ) == (first.module_hash)
    searcher.tell(first, 0.3)
    searcher.tell([second.module_hash, ModelSpec(third.matrix, third.ops)], [0.7, 0.7])
    searcher.tell(fourth, failure="out of memory")
    assert searcher.pending == []
    assert searcher.best == (second, 0.7)
    assert searcher.seen.told.tolist() == [each.row for each in (first, second, third, fourth)]


@pytest.mark.parametrize(
    ("rewards", "failure", "message"),
    [
        (None, None, "either rewards or a failure"),
        ([0.5], "out of memory", "either rewards or a failure"),
        ([0.5, 0.5], None, "2 rewards do not go with 1 cells"),
    ],
)
def test_what_is_no_result_is_refused(searcher, rewards, failure, message):
    cells = searcher.ask()
    with pytest.raises(ValueError, match=message):
        searcher.tell(cells, rewards, failure=failure)
    assert searcher.pending == cells


def test_isomorphic_cells_count_as_one(searcher):
    from gnn_nas.benchmarks.official_api import ModelSpec

    ops = ["input", "conv3x3-bn-relu", "maxpool3x3", "output"]
    matrix = [[0, 1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    twin = ModelSpec(matrix, [ops[0], ops[2], ops[1], ops[3]])
    searcher.tell(ModelSpec(matrix, ops), 0.5)
    with pytest.raises(ValueError, match="isomorphic ones counting as one"):
        searcher.tell(twin, 0.5)


def test_nothing_is_the_best_where_everything_failed(searcher):
    assert searcher.best is None
    searcher.tell(searcher.ask(3), [math.nan] * 3)
    assert searcher.best is None


def test_mistakes_are_named_before_anything_is_searched(table):
    with pytest.raises(UserError, match="--method annealing"):
        Searcher(table, method="annealing")
    with pytest.raises(ValueError, match="method nao needs a controller"):
        Searcher(table)
    with pytest.raises(UserError, match="settings of local: initial must be greater than or equal"):
        Searcher(table, method="local", settings={"initial": 0})
    with pytest.raises(KeyError, match="no cell of nasbench101"):
        Searcher(table, method="random").tell("0" * 32, 0.5)


def test_a_method_of_ones_own_is_a_class(table):
    class Fewest(Method):
        """Proposes cells in the table's order."""

        def propose(self, seen, count=None):
            return (~seen.taken).nonzero().flatten()[: count or 2]

    searcher = Searcher(table, method=Fewest)
    assert searcher.propose().tolist() == [0, 1]
    assert [cell.row for cell in searcher.ask(3)] == [2, 3, 4]
    assert torch.equal(searcher.seen.pending, torch.arange(5))


@pytest.mark.parametrize(
    ("proposed", "error", "message"),
    [
        ([1, 2], TypeError, "a tensor of rows, not a list"),
        (None, TypeError, "a tensor of rows, not a NoneType"),
        (torch.tensor([0.5]), ValueError, "rows must be integers"),
        (torch.tensor([-1]), IndexError, "row -1 is none of"),
        (torch.tensor([423_624]), IndexError, "row 423624 is none of"),
        (torch.tensor([3, 3]), ValueError, "a cell only once"),
    ],
)
def test_what_no_method_may_propose_is_refused_and_not_handed_out(table, proposed, error, message):
    class Wrong(Method):
        def propose(self, seen, count=None):
            return proposed

    searcher = Searcher(table, method=Wrong)
    with pytest.raises(error, match=message):
        searcher.ask(2)
    assert searcher.pending == []


def test_no_more_is_handed_out_than_was_asked_for(table):
    class Rounds(Method):
        def propose(self, seen, count=None):
            return seen.draw_fresh(8, self.generator)

    searcher = Searcher(table, method=Rounds)
    assert len(searcher.ask(1)) == 1
    assert len(searcher.ask(11)) == 11
    assert len(searcher.pending) == 12
    assert len(searcher.propose()) == 8


def test_a_state_stays_what_it_was_while_the_searcher_goes_on(table):
    class Noting(Method):
        def __init__(self, *parts):
            super().__init__(*parts)
            self.noted = []

        def propose(self, seen, count=None):
            self.noted.append(len(seen))
            return seen.draw_fresh(1, self.generator)

        def state_dict(self):
            return {"noted": self.noted}

        def load_state_dict(self, state):
            self.noted = state["noted"]

    searcher = Searcher(table, method=Noting)
    searcher.ask(2)
    state = searcher.state_dict()
    for _ in range(2):
        searcher.ask(3)
        searcher.load_state_dict(state)
        assert searcher.method.noted == [0, 1]


def test_rewards_of_a_network_that_is_still_trained_are_plain_numbers(searcher):
    rewards = torch.tensor([0.25, 0.5], requires_grad=True)
    searcher.tell(searcher.ask(2), rewards)
    assert not searcher.seen.rewards.requires_grad
    searcher.tell(searcher.propose(1), rewards[:1])
    assert searcher.seen.rewards.tolist() == [0.25, 0.5, 0.25]


def test_the_state_of_another_method_is_refused(searcher, table):
    asked = searcher.ask(2)
    other = Searcher(table, method="local")
    with pytest.raises(ValueError, match="the state is one of Local, not of Random"):
        searcher.load_state_dict(other.state_dict())
    assert searcher.pending == asked


def test_a_searcher_of_another_space_knows_its_cells_however_they_are_given():
    from gnn_nas.config import WEIGHTS
    from gnn_nas.models.pretrained import load_pretrained
    from gnn_nas.spaces.nasbench201 import NASBENCH201
    from gnn_nas.spaces.table import Cell, load_table

    cells, controller = load_table(NASBENCH201), load_pretrained(WEIGHTS / "nasbench201")
    searcher = Searcher(cells, controller, seed=0)
    asked = searcher.ask(3)
    searcher.tell(asked, [0.1, 0.2, 0.3])
    searcher.tell(cells.hash_of(77), 0.4)
    other = Cell(cells, 99)
    searcher.tell(SimpleNamespace(matrix=other.matrix, ops=other.ops), 0.5)
    assert searcher.seen.told.tolist() == [*(cell.row for cell in asked), 77, 99]
    assert searcher.best == (other, 0.5)
    # Without a table it is the controller's.
    assert Searcher(controller=controller).table.space == NASBENCH201
    with pytest.raises(ValueError, match="a controller of nasbench201 knows no nasbench101"):
        Searcher(load_table(), controller)
