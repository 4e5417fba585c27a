import math

import pytest
from PIL import Image

from gnn_nas.plots.task_curves import draw_pareto, draw_reward_curves

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
