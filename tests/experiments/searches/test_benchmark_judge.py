import json
import math
from statistics import fmean, stdev
from types import SimpleNamespace

import pytest
import torch

from gnn_nas.experiments.searches.benchmark_judge import BenchmarkJudge, reported_tests
from gnn_nas.files import to_json
from gnn_nas.objective import Evaluation
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History, Query

# Rewards of five queries, the fourth failed, and what the search was not told of them.
REWARDS = [0.90, 0.93, 0.93, None, 0.92]
TESTS = [0.91, 0.92, 0.935, 0.89, 0.94]
UNSEEN = [0.90, 0.915, 0.93, 0.88, 0.945]


class Ranked:
    """The cell of row ``i`` has rank ``i + 1``."""

    best_test = 0.9432

    def rank(self, rows):
        return rows + 1


@pytest.fixture
def make_history(tmp_path, table):
    """Gives a history of cells by their ranks."""

    def make(ranks, rewards=REWARDS, tests=TESTS, unseen=UNSEEN, seconds=100.0) -> History:
        history = History(tmp_path / "history.csv", ("test", "test_unseen"))
        figures = zip(ranks, rewards, tests, unseen, strict=True)
        history.queries = [
            Query(number, table.hash_of(rank - 1), Evaluation(reward, seconds), (test, other), 0)
            for number, (rank, reward, test, other) in enumerate(figures, start=1)
        ]
        return history

    return make


@pytest.fixture
def make_judge(table, monkeypatch):
    """Gives the judge of a search of so many queries a seed."""
    module = "gnn_nas.experiments.searches.benchmark_judge"
    monkeypatch.setattr(f"{module}.objective_and_report", lambda *_: None)
    ranked = Ranked()
    ranked.table = table

    def make(queries: int) -> BenchmarkJudge:
        config = SimpleNamespace(queries=queries, protocol="oracle", dataset=None, title="")
        return BenchmarkJudge(config, ranked, None)

    return make


def test_figures_of_a_seed(make_history, make_judge, table):
    history = make_history([9, 5, 4, 8, 2])
    assert reported_tests(history) == pytest.approx([91, 92, 92, 92, 92])
    outcome = make_judge(5).outcome(history)
    assert outcome == {
        "test": pytest.approx(92),
        "test_unseen": pytest.approx(91.5),
        "best_test": pytest.approx(94),
        "queries_to_best": 2,
        "regret": pytest.approx(2.32),
        "rank": 5,
        "sd": pytest.approx(stdev([91, 92, 93.5, 89, 94])),
        "test_at": {},
        "first_rank_2": 5,
        "first_best": None,
        "queries": 5,
        "seconds": 500.0,
        "hash": table.hash_of(4),
        "reward": 0.93,
    }
    assert outcome["test"] == 100 * 0.92  # in full


def test_accuracies_are_noted_at_all_counts_within_the_budget(make_history, make_judge, table):
    count = 160
    rewards = torch.linspace(0.8, 0.94, count).tolist()
    history = make_history(range(count + 1, 1, -1), rewards, rewards, [math.nan] * count)
    outcome = make_judge(200).outcome(history)
    # Beyond the end of a search that ended early its find stays what it was.
    places = {"50": 49, "100": 99, "150": 149, "200": 159}
    assert outcome["test_at"] == {n: 100 * rewards[place] for n, place in places.items()}
    assert outcome["test_unseen"] is None
    assert outcome["first_rank_2"] == 160
    assert outcome["first_best"] is None
    assert outcome["rank"] == 2


def test_unknown_seconds_are_none(make_history, make_judge, table):
    outcome = make_judge(5).outcome(make_history([9, 5, 4, 8, 1], seconds=math.nan))
    assert outcome["seconds"] is None
    assert outcome["first_best"] == 5


def test_a_search_of_failures_has_no_figures(make_history, make_judge, tmp_path):
    nothing = [math.nan] * 5
    history = make_history([9, 5, 4, 8, 7], [None] * 5, nothing, nothing)
    outcome = {**make_judge(50).outcome(history), "wall_seconds": 3.0}
    assert outcome["test"] is outcome["rank"] is outcome["regret"] is outcome["sd"] is None
    assert outcome["test_at"] == {"50": None}
    rest = make_judge(50).conclude(RunFolder(tmp_path), [history], [outcome], None)
    assert rest["aggregated"]["test"] == {"mean": None, "std": None, "worst": None}
    assert rest["best"] is None


@pytest.fixture
def outcomes(make_history, make_judge, table):
    seeds = [
        {**make_judge(50).outcome(make_history([9, 5, 4, 8, 2])), "wall_seconds": 3.0},
        {**make_judge(50).outcome(make_history([9, 3, 4, 8, 7])), "wall_seconds": 5.0},
    ]
    seeds[1]["best_test"] = 94.2
    seeds[1]["test_at"] = {"50": 93.0}
    return seeds


def test_seeds_are_aggregated(outcomes, make_judge):
    spreads = make_judge(50).aggregated(outcomes)
    assert spreads["rank"] == {"mean": 4, "std": pytest.approx(stdev([5, 3])), "worst": 5}
    assert spreads["best_test"]["worst"] == pytest.approx(94.0)
    assert spreads["wall_seconds"] == {"mean": 4, "std": pytest.approx(stdev([3, 5])), "worst": 5}
    # The second seed has missed it: its budget stands in.
    expected = {"mean": 27.5, "std": pytest.approx(stdev([5, 50])), "worst": 50, "reached": 1}
    assert spreads["first_rank_2"] == expected
    assert spreads["first_best"]["reached"] == 0
    assert spreads["test_at"]["50"]["worst"] == pytest.approx(92)


def test_one_seed_has_no_deviation(outcomes, make_judge):
    assert make_judge(50).aggregated(outcomes[:1])["rank"] == {"mean": 5, "std": None, "worst": 5}


def test_the_summary_has_the_main_figures_on_top(outcomes, make_history, make_judge, tmp_path):
    histories = [make_history([9, 5, 4, 8, 2]), make_history([9, 3, 4, 8, 7])]
    outcomes[1]["seed"] = 1
    rest = make_judge(50).conclude(RunFolder(tmp_path), histories, outcomes, outcomes[1])
    summary = json.loads(to_json(rest))
    assert summary["best"].keys() == {"seed", "hash", "reward", "test", "rank"}
    assert RunFolder(tmp_path).search_curves.exists()
    assert summary["best_test_mean"] == pytest.approx(fmean([94.0, 94.2]))
    assert summary["best_test_std"] == pytest.approx(stdev([94.0, 94.2]))
    assert summary["rank"] == 4
    assert summary["queries_to_best"] == 2
    assert summary["regret"] == pytest.approx(2.32)
    assert summary["sd"] == pytest.approx(outcomes[0]["sd"])
    assert summary["test_at"] == {"50": pytest.approx(92.5)}
    assert summary["per_seed"] == outcomes
    assert summary["aggregated"]["rank"]["worst"] == 5
