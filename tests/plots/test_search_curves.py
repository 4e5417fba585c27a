import math
import warnings

import matplotlib.image
import numpy as np
import pytest
from PIL import Image

from gnn_nas.plots import search_curves
from gnn_nas.plots.search_curves import (
    draw_pareto,
    draw_reward_curves,
    draw_search_curves,
    moving_average,
)

BEST = 94.3176


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("count", [0, 1, 5, 40])
@pytest.mark.parametrize("window", [1, 7, 128])
def test_moving_averages_agree_with_plain_loops(count, window):
    values = np.random.default_rng(count).normal(90, 3, count)
    values[::4] = np.nan
    averages = moving_average(values, window)
    assert len(averages) == count
    for at, average in enumerate(averages):
        last = [x for x in values[max(0, at + 1 - window) : at + 1] if not math.isnan(x)]
        if last:
            assert average == pytest.approx(sum(last) / len(last))
        else:
            assert math.isnan(average)


def test_a_picture_of_two_panels_is_written(tmp_path):
    path = tmp_path / "search.png"
    queried = [[90.0, 93.0, 91.0, 94.0], [92.0, 90.0, BEST, 94.1]]
    reported = [[90.0, 93.0, 93.0, 94.0], [92.0, 92.0, BEST, BEST]]
    draw_search_curves(path, reported, queried, BEST, title="random, oracle protocol")
    assert list(tmp_path.iterdir()) == [path]
    picture = matplotlib.image.imread(path)[:, :, :3]
    blue = (picture[:, :, 2] > picture[:, :, 0] + 0.3).astype(int)
    half = picture.shape[1] // 2
    assert blue[:, :half].sum() > 500
    assert blue[:, half:].sum() > 500


@pytest.mark.parametrize(
    ("reported", "queried"),
    [
        ([[94.0]], [[94.0]]),
        ([[BEST] * 3], [[BEST] * 3]),
        ([[math.nan, math.nan, 90.0]], [[math.nan, math.nan, 90.0]]),
        ([[math.nan] * 3], [[math.nan] * 3]),
        ([[10.0, 93.0], [93.0] * 5], [[10.0, 93.0], [93.0, 9.0, 92.0, 91.0, 93.0]]),
    ],
    ids=["one query", "optimum at once", "failures first", "failures only", "ended early"],
)
def test_searches_with_little_to_show_are_drawn_too(tmp_path, reported, queried):
    draw_search_curves(tmp_path / "search.png", reported, queried, BEST)
    assert (tmp_path / "search.png").stat().st_size > 5000


POINTS = [(100.0, 0.9, "a"), (5000.0, 0.95, "b"), (300.0, 0.8, "c")]
FRONT = [{"cost": 100.0, "score": 0.9}, {"cost": 5000.0, "score": 0.95}]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "queried",
    [
        [[0.9, math.nan, 0.8], [0.7, 0.9]],
        [[0.9]],
        [[math.nan, math.nan]],
    ],
)
def test_curves_of_any_length_and_with_failures(tmp_path, queried):
    draw_reward_curves(tmp_path / "search.png", queried, queried, "title")
    with Image.open(tmp_path / "search.png") as image:
        assert image.size == (1500, 570)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("count", [1, 3])
def test_a_front_of_any_size(tmp_path, count):
    path = tmp_path / "pareto.png"
    draw_pareto(path, POINTS[:count], FRONT[:count], "parameters", "accuracy", "title")
    with Image.open(path) as file:
        image = file.convert("RGB")
    assert image.size == (960, 660)
    orange = sum(n for n, (r, g, b) in image.getcolors(1 << 20) if (r, g, b) == (255, 127, 14))
    assert orange > 20


def test_a_cell_that_costs_nothing_is_drawn_too(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(search_curves, "save_curves", lambda figure, *_: drawn.append(figure))
    points = [(0.0, 0.5, "a"), (10.0, 0.6, "b"), (40.0, 0.7, "c")]
    front = [{"cost": cost, "score": score} for cost, score, _ in points]
    draw_pareto(tmp_path / "x.png", points, front, "latency", "score")
    (axes,) = drawn[0].axes
    low, _ = axes.get_xlim()
    assert low < 0
    assert np.isfinite(axes.transData.transform([[0.0, 0.5]])).all()
