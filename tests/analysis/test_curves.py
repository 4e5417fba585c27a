import math

import matplotlib.image
import pytest

from gnn_nas.analysis.curves import draw_curves

VALIDATION = {"token_accuracy": 0.9, "exact_match": 0.5}


def rows(steps: int, validate_every: int, loss=lambda step: 1 / step) -> list[dict]:
    rows = []
    for step in range(1, steps + 1):
        figures = {"reconstruction": loss(step), "metric": 0.5, "token_accuracy": 0.3}
        rows.append({"step": step, "kind": "train", **figures})
        if step % validate_every == 0:
            rows.append({"step": step, "kind": "validation", **VALIDATION})
    return rows


def test_a_picture_of_three_panels_is_written(tmp_path):
    path = tmp_path / "curves.png"
    draw_curves(rows(100, 10), path)
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    picture = matplotlib.image.imread(path)
    height, width = picture.shape[:2]
    assert width > 1500
    assert height > 400
    # There is something in every third: not only white.
    for third in range(3):
        part = picture[:, third * width // 3 : (third + 1) * width // 3, :3]
        assert (part < 0.5).any(axis=2).sum() > 500
    assert list(tmp_path.iterdir()) == [path]


def test_the_picture_shows_the_losses(tmp_path):
    pictures = []
    for number, loss in enumerate((lambda step: 1 / step, lambda step: step)):
        path = tmp_path / f"{number}.png"
        draw_curves(rows(50, 10, loss), path)
        pictures.append(path.read_bytes())
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize(
    "few",
    [
        [],
        rows(1, 10),
        [{"step": 3, "kind": "validation", **VALIDATION}],
        rows(5, 2, loss=lambda step: None),  # NaN, as the file has it
        rows(5, 2, loss=lambda step: math.nan),
        rows(5, 2, loss=lambda step: 0.0),
    ],
)
def test_runs_with_little_to_show_are_drawn_too(tmp_path, few):
    draw_curves(few, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000


def test_an_old_picture_is_replaced(tmp_path):
    path = tmp_path / "curves.png"
    path.write_text("old")
    draw_curves(rows(3, 1), path)
    assert path.read_bytes().startswith(b"\x89PNG")
