import math

import matplotlib.image
import pytest

from gnn_nas.plots.curves import draw_curves

VALIDATION = {"token_accuracy": 0.9, "exact_match": 0.5}


def rows(steps: int, validate_every: int, loss=lambda step: 1 / step, structure=None) -> list[dict]:
    """Rows of a run; without a structure loss it is 0 and the error is not measured."""
    rows = []
    for step in range(1, steps + 1):
        figures = {"reconstruction": loss(step), "metric": 0.5, "token_accuracy": 0.3}
        figures["structure"] = structure(step) if structure else 0.0
        rows.append({"step": step, "kind": "train", **figures})
        if step % validate_every == 0:
            error = {"structure_error": 0.4} if structure else {}
            rows.append({"step": step, "kind": "validation", **VALIDATION, **error})
    return rows


def without_structure(rows: list[dict]) -> list[dict]:
    return [{k: v for k, v in row.items() if not k.startswith("structure")} for row in rows]


def test_function_has_a_panel_of_its_own(tmp_path):
    path = tmp_path / "curves.png"
    told = [
        {**row, "function": 0.5} if row["kind"] == "train" else row
        for row in rows(20, 10, structure=lambda step: 1 / step)
    ]
    draw_curves(told, path)
    assert matplotlib.image.imread(path).shape[1] == pytest.approx(650 * 5, abs=2)


def test_labels_that_were_looked_at_have_a_panel_of_their_own(tmp_path):
    taus = {"tau_knn": 0.4, "tau_ridge": 0.5, "tau_gp": 0.6}
    pictures = []
    for raised in (0, 0.1):
        looked_at = {name: tau + raised * (name == "tau_ridge") for name, tau in taus.items()}
        told = [row if row["kind"] == "train" else {**row, **looked_at} for row in rows(20, 10)]
        draw_curves(told, tmp_path / "curves.png")
        pictures.append(matplotlib.image.imread(tmp_path / "curves.png"))
        assert pictures[-1].shape[1] == pytest.approx(650 * 4, abs=2)
    assert (pictures[0] != pictures[1]).any()
    # Where the others were drawn nothing is different.
    assert (pictures[0][:, :1900] == pictures[1][:, :1900]).all()


@pytest.mark.parametrize("structure", [None, lambda step: 1 / step**2])
def test_a_picture_of_a_panel_each_is_written(tmp_path, structure):
    path = tmp_path / "curves.png"
    draw_curves(rows(100, 10, structure=structure), path)
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    picture = matplotlib.image.imread(path)
    height, width = picture.shape[:2]
    panels = 4 if structure else 3
    assert width == pytest.approx(650 * panels, abs=2)
    assert height > 400
    # There is something in every part: not only white.
    for number in range(panels):
        part = picture[:, number * width // panels : (number + 1) * width // panels, :3]
        assert (part < 0.5).any(axis=2).sum() > 500
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_that_knows_of_no_structure_is_drawn_as_one_without(tmp_path):
    without = rows(50, 10)
    for number, drawn in enumerate((without, without_structure(without))):
        draw_curves(drawn, tmp_path / f"{number}.png")
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()


@pytest.mark.slow
def test_the_picture_shows_the_losses(tmp_path):
    pictures = []
    falling, rising = lambda step: 1 / step, lambda step: step
    for loss, structure in ((falling, falling), (rising, falling), (falling, rising)):
        path = tmp_path / "curves.png"
        draw_curves(rows(50, 10, loss, structure), path)
        pictures.append(path.read_bytes())
    errors = [{**row, "structure_error": 0.3} for row in rows(50, 10, falling, falling)]
    draw_curves(errors, path)
    pictures.append(path.read_bytes())
    assert len(set(pictures)) == 4


@pytest.mark.parametrize(
    "few",
    [
        [],
        rows(1, 10),
        [{"step": 3, "kind": "validation", **VALIDATION}],
        rows(5, 2, loss=lambda step: None),  # NaN, as the file has it
        rows(5, 2, loss=lambda step: math.nan),
        rows(5, 2, loss=lambda step: 0.0),
        rows(5, 2, loss=lambda step: math.inf),
        rows(5, 2, structure=lambda step: math.nan),
        rows(5, 2, structure=lambda step: None if step < 5 else 0.1),
    ],
)
@pytest.mark.filterwarnings("error")
def test_runs_with_little_to_show_are_drawn_too(tmp_path, few):
    draw_curves(few, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000


def test_an_old_picture_is_replaced(tmp_path):
    path = tmp_path / "curves.png"
    path.write_text("old")
    draw_curves(rows(3, 1), path)
    assert path.read_bytes().startswith(b"\x89PNG")
