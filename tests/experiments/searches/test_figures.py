import math

import pytest

from gnn_nas.experiments.searches.figures import (
    best_outcome,
    best_so_far,
    found_after_counts,
    over_seeds,
    spreads,
    without_nan,
)


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


def test_the_best_so_far_is_the_first_of_equals_and_no_failure():
    assert best_so_far([0.90, 0.93, 0.93, None, 0.92]) == [0, 1, 1, 1, 1]
    assert best_so_far([None, math.nan, 0.5, 0.6, 0.4]) == [None, None, 2, 3, 3]
    assert best_so_far([]) == []


def test_what_was_found_stays_beyond_the_end_of_a_seed():
    best = [None] * 60 + [60] * 70
    after = {"50": None, "100": 120.0, "150": 120.0}
    assert found_after_counts([2.0 * at for at in range(130)], best, 199) == after


def test_figures_by_number_are_spread_number_by_number():
    outcomes = [{"rank": 1, "at": {"50": 2.0}}, {"rank": 3, "at": {"50": 4.0}}]
    over = spreads(outcomes, {"at": min, "rank": max})
    assert list(over) == ["at", "rank"]
    assert over["rank"] == over_seeds([1, 3], max)
    assert over["at"] == {"50": over_seeds([2.0, 4.0], min)}
