import math

import pytest

from gnn_nas.experiments.searches.seed_figures import best_outcome, over_seeds, without_nan


def test_mean_deviation_and_worst_are_over_the_seeds():
    spread = over_seeds([1.0, 2.0, 6.0], max)
    assert spread == {"mean": 3.0, "std": pytest.approx(math.sqrt(7)), "worst": 6.0}
    assert over_seeds([1.0, 2.0, 6.0], min)["worst"] == 1.0


def test_one_seed_has_no_deviation():
    assert over_seeds([4.0], min) == {"mean": 4.0, "std": None, "worst": 4.0}


def test_what_a_seed_lacks_has_no_mean():
    assert over_seeds([1.0, None], max) == {"mean": None, "std": None, "worst": None}


def test_the_best_has_the_highest_reward_and_is_the_first_of_equal_ones():
    outcomes = [
        {"seed": seed, "reward": reward} for seed, reward in enumerate([None, 0.5, 0.9, 0.9])
    ]
    assert best_outcome(outcomes)["seed"] == 2
    assert best_outcome(outcomes[:1]) is None


def test_nan_becomes_none_and_nothing_else_changes():
    figures = {"test": math.nan, "rank": 3, "hash": "nan", "sd": 0.0, "rest": None}
    assert without_nan(figures) == {**figures, "test": None}
