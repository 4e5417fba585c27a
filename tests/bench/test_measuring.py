from bench.measuring import Figure, Times, at_least, at_most, time_of


def test_a_figure_says_whether_its_target_is_met():
    assert [at_most(45).met(value) for value in (45, 45.1)] == [True, False]
    assert [at_least(50).met(value) for value in (49.9, 50)] == [False, True]
    assert (str(at_most(0.5)), str(at_least(1_000_000))) == ("≤ 0.5", "≥ 1,000,000")
    assert Figure("step", 44, "ms", target=at_most(45)).met
    assert Figure("step", 44, "ms").met is None
    assert Figure("search", None, target=at_most(45)).met is None


def test_times_become_medians_and_rates():
    times = Times((0.5, 0.25, 4.0), threads=2)
    spent = times.spent("step", condition="batch 512")
    assert (spent.value, spent.lowest, spent.highest) == (500, 250, 4000)
    assert (spent.unit, spent.threads, spent.repeats) == ("ms", 2, 3)
    rate = times.rate("positives", 8, "cells/s")
    assert (rate.value, rate.lowest, rate.highest, rate.unit) == (16, 2, 32, "cells/s")


def test_an_action_is_timed_after_its_warm_up_with_what_is_prepared_for_it():
    prepared, done = iter(range(10)), []
    times = time_of(done.append, repeats=4, warmups=2, prepare=lambda: next(prepared))
    assert (len(times.seconds), done) == (4, [0, 1, 2, 3, 4, 5])


def test_little_time_leaves_three_repeats():
    assert len(time_of(lambda: None, repeats=50, budget=0).seconds) == 3
