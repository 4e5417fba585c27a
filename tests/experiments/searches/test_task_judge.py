import math
from types import SimpleNamespace

import pytest

from gnn_nas.experiments.searches.figures import rewards_so_far
from gnn_nas.experiments.searches.task_judge import TaskJudge, pareto_front
from gnn_nas.objective import Evaluation
from gnn_nas.search.history import History, Query

REWARDS = [0.90, 0.93, 0.93, None, 0.92]
PARAMETERS = [100.0, 300.0, 200.0, math.nan, 50.0]


@pytest.fixture
def make_history(tmp_path):
    def make(rewards=REWARDS) -> History:
        history = History(tmp_path / "history.csv", ("accuracy", "parameters"))
        history.queries = [
            Query(number, f"{number:032x}", Evaluation(reward, 2.0), (math.nan, size), 0)
            for number, (reward, size) in enumerate(zip(rewards, PARAMETERS, strict=True), 1)
        ]
        return history

    return make


@pytest.fixture
def judge() -> TaskJudge:
    """Of a search of 50 queries a seed."""
    return TaskJudge(SimpleNamespace(queries=50), None, None, None)


def test_figures_of_a_seed_are_those_of_the_best_reward(make_history, judge):
    history = make_history()
    assert rewards_so_far(history) == [0.90, 0.93, 0.93, 0.93, 0.93]
    outcome = judge.outcome(history)
    assert outcome.pop("sd") == pytest.approx(math.sqrt(0.0006 / 3))
    assert outcome == {
        "reward": 0.93,
        "test": None,
        "queries_to_best": 2,
        "reward_at": {"50": 0.93},
        "queries": 5,
        "failures": 1,
        "seconds": 10.0,
        "hash": f"{2:032x}",
        "accuracy": None,
        "parameters": 300.0,
    }


def test_a_search_of_failures_has_no_figures(make_history, judge):
    outcome = judge.outcome(make_history([None] * 5))
    assert outcome["failures"] == 5
    assert outcome["reward"] is outcome["hash"] is outcome["parameters"] is None
    assert outcome["reward_at"] == {"50": None}


def test_seeds_are_aggregated(make_history, judge):
    outcomes = [
        {**judge.outcome(make_history()), "latency": 1.0, "wall_seconds": 3.0, "test": 0.8},
        {**judge.outcome(make_history()), "latency": 2.0, "wall_seconds": 5.0, "test": 0.9},
    ]
    spreads = judge.aggregated(outcomes)
    assert spreads["test"] == {
        "mean": pytest.approx(0.85),
        "std": pytest.approx(0.1 / math.sqrt(2)),
        "worst": 0.8,
    }
    assert spreads["latency"]["worst"] == 2.0
    assert spreads["accuracy"] == {"mean": None, "std": None, "worst": None}
    assert spreads["reward_at"]["50"]["mean"] == 0.93


def test_the_front_is_what_no_other_beats_in_both():
    points = [(3, 0.9, "c"), (1, 0.5, "a"), (2, 0.4, "b"), (3, 0.8, "d"), (9, 0.9, "e")]
    points += [(math.nan, 1.0, "f"), (0.5, math.nan, "g"), (4, 0.95, "h")]
    assert [each["hash"] for each in pareto_front(points)] == ["a", "c", "h"]
    assert pareto_front([]) == []
