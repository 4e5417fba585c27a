import pytest

from bench.measuring import Figure
from bench.scaling import exponents, growth
from bench.scaling_plot import draw_scaling

SIZES = (1, 2, 4, 8)


def series(*costs: float, threads: int = 1) -> list[Figure]:
    return [
        Figure("step by batch", cost, "ms", threads=threads, size=size)
        for size, cost in zip(SIZES, costs, strict=True)
    ]


def test_exponents_are_slopes_between_neighbours():
    assert exponents(series(5, 5, 10, 40)) == pytest.approx([0, 1, 2])


def test_growth_says_from_where_it_is_faster_than_linear():
    figure = growth(series(5, 5, 10, 40))
    assert figure.value == pytest.approx(2)
    assert figure.condition == "faster than linearly from 4 on"
    assert growth(series(5, 6, 7, 8)).condition == "at most linearly throughout"


def test_series_are_drawn_and_other_figures_are_not(tmp_path):
    path = tmp_path / "scaling.png"
    measured = [*series(5, 5, 10, 40), *series(3, 3, 6, 20, threads=2)]
    draw_scaling([*measured, Figure("search by queries", None)], path, "a machine")
    assert path.read_bytes().startswith(b"\x89PNG")
