from itertools import combinations

import numpy as np
import pytest

from bench.random_search import best_of, main


@pytest.mark.parametrize("count", [1, 2, 3, 6, 7])
def test_equals_the_mean_over_all_draws(count):
    values = np.array([0.3, -1.0, 2.5, 2.5, 0.1, 9.0, 0.3])
    best = [max(drawn) for drawn in combinations(values, count)]
    mean, deviation = best_of(values, count)
    assert mean == pytest.approx(np.mean(best))
    assert deviation == pytest.approx(np.std(best), abs=1e-7)


def test_a_space_of_its_size_is_no_problem():
    """The mean of the largest of n uniform numbers is n / (n + 1)."""
    values = (np.arange(423_624) + 0.5) / 423_624
    for count in (1, 50, 300, 400_000):
        assert best_of(values, count)[0] == pytest.approx(count / (count + 1), abs=2e-6)


def test_prints_a_line_for_every_number_of_queries(made_up_benchmark, capsys):
    assert main(["--benchmark", str(made_up_benchmark)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["50", "100", "150", "300"]
    means = [float(line.split()[2]) for line in lines]
    assert means == sorted(means)


def test_without_measurements_it_is_one_line(tmp_path, capsys):
    assert main(["--benchmark", str(tmp_path / "absent")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
