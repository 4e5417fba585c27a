import warnings

import matplotlib.image
import numpy as np
import pytest
import torch

from gnn_nas.evaluation.cell_pairs import ratios
from gnn_nas.plots.locality_figures import (
    draw_differences,
    draw_distances,
    draw_similarities,
)

NEAR, FAR = (224, 123, 0), (166, 216, 245)
DISTANCE = np.repeat(np.arange(1, 13), 40)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def share(path, colour: tuple[int, int, int]) -> float:
    picture = (matplotlib.image.imread(path)[:, :, :3] * 255).round()
    return float((picture == colour).all(2).mean())


def test_bars_of_near_and_far_pairs_have_their_colours(tmp_path):
    for near in (0.2, 0.8):
        distance = np.where(np.arange(1000) < 1000 * near, 5, 9)
        path = tmp_path / f"{near}.png"
        draw_distances(path, distance, ratios(torch.from_numpy(distance)))
    areas = [[share(tmp_path / f"{n}.png", colour) for colour in (NEAR, FAR)] for n in (0.2, 0.8)]
    assert areas[0][0] < areas[0][1]
    assert areas[1][0] > areas[1][1]
    assert len(list(tmp_path.iterdir())) == 2


def test_violins_of_near_and_far_pairs_have_their_colours(tmp_path):
    values = np.random.default_rng(0).lognormal(size=len(DISTANCE))
    draw_differences(tmp_path / "b.png", DISTANCE, values, 0.25)
    similarities = {"one": np.cos(values), r"not $\formula$": np.sin(values)}
    draw_similarities(tmp_path / "c.png", DISTANCE, similarities, [-0.9, 0.1])
    for name in ("b.png", "c.png"):
        assert share(tmp_path / name, NEAR) > 0.01
        assert share(tmp_path / name, FAR) > 0.03


@pytest.mark.slow
def test_a_panel_for_every_checkpoint_three_in_a_row(tmp_path):
    widths, heights = [], []
    for count in (1, 2, 3, 4):
        values = {str(number): DISTANCE / -12.0 for number in range(count)}
        draw_similarities(tmp_path / "c.png", DISTANCE, values, [-1.0] * count)
        height, width, _ = matplotlib.image.imread(tmp_path / "c.png").shape
        widths.append(width)
        heights.append(height)
    assert widths[0] < widths[1] < widths[2] == widths[3]
    assert heights[0] == heights[2] < heights[3]


@pytest.mark.parametrize("distance", [[1], [3, 4], [15] * 3])
def test_few_pairs_and_equal_values_are_drawn_too(tmp_path, distance):
    array = np.array(distance)
    draw_distances(tmp_path / "a.png", array, ratios(torch.from_numpy(array)))
    draw_differences(tmp_path / "b.png", array, np.zeros(len(array)), float("nan"))
    draw_similarities(tmp_path / "c.png", array, {"x": np.ones(len(array))}, [float("nan")])
    assert all(path.stat().st_size > 5000 for path in tmp_path.iterdir())
