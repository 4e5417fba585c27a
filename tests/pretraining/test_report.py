import time

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gnn_nas.pretraining.report import Metrics, ProgressBar
from gnn_nas.run_folder import RunFolder

LOSSES = {
    "loss": 2.0,
    "reconstruction": 1.5,
    "metric": 0.5,
    "structure": 0.2,
    "token_accuracy": 0.25,
}
FIGURES = {
    "token_accuracy": 0.9,
    "exact_match": 0.8,
    "precision_at_1": 0.7,
    "map_at_r": 0.6,
    "prior_validity": 0.5,
    "prior_uniqueness": 0.4,
    "structure_error": 0.3,
}


@pytest.fixture
def folder(tmp_path, make_config) -> RunFolder:
    return RunFolder.create(tmp_path / "run", make_config())


def test_figures_go_to_the_file_the_terminal_and_tensorboard(folder, capsys):
    with Metrics(folder, step=0) as metrics, ProgressBar() as bar:
        bar.on_begin(5_999, 13_238)
        bar.on_step(6_000)
        for callback in (metrics, bar):
            callback.on_train(1, LOSSES)
            callback.on_validation(2, FIGURES)
    assert (
        metrics.rows
        == folder.read_metrics()
        == [
            {"step": 1, "kind": "train", **LOSSES},
            {"step": 2, "kind": "validation", **FIGURES},
        ]
    )
    out, err = capsys.readouterr()
    assert out == ""
    shown, bar = err.splitlines()
    assert shown == (
        "step 2: token_accuracy 0.9000  exact_match 0.8000  precision_at_1 0.7000  map_at_r 0.6000"
        "  prior_validity 0.5000"
    )
    assert " 6000/13238 rec 1.5000 metric 0.5000 tokens 25.00% " in bar

    events = EventAccumulator(str(folder.tensorboard)).Reload()
    assert set(events.Tags()["scalars"]) == {
        *(f"train/{name}" for name in LOSSES),
        *(f"validation/{name}" for name in FIGURES),
    }
    (scalar,) = events.Scalars("train/reconstruction")
    assert (scalar.step, scalar.value) == (1, 1.5)


def test_without_a_folder_the_rows_are_in_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Metrics(None, step=0) as metrics:
        metrics.on_train(1, LOSSES)
        metrics.on_validation(2, FIGURES)
    assert metrics.rows == [
        {"step": 1, "kind": "train", **LOSSES},
        {"step": 2, "kind": "validation", **FIGURES},
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_bar_whose_run_never_began_shows_nothing(capsys):
    with ProgressBar():
        pass
    assert capsys.readouterr() == ("", "")


def test_at_its_end_the_bar_says_what_takes_long(capsys):
    with ProgressBar() as bar:
        bar.on_begin(3, 4)
        bar.on_step(4)
        bar.on_train(4, LOSSES)
    assert "4/4 final validation" in capsys.readouterr().err
    with ProgressBar() as bar:
        bar.on_begin(4, 4)
    assert "4/4 final validation" in capsys.readouterr().err


def test_the_bar_fits_a_plain_terminal(folder, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with ProgressBar() as shown:
        shown.on_begin(0, 13_238)
        shown.on_step(1)
        shown.on_train(1, LOSSES)
        shown.progress.update(shown.progress.task_ids[0], completed=13_000, pace="12.3 steps/s")
    bar = capsys.readouterr().err.splitlines()[-1]
    assert "13000/13238 rec 1.5000 metric 0.5000 tokens 25.00% 12.3 steps/s" in bar
    assert "…" not in bar


def test_a_resumed_run_takes_back_what_the_killed_one_showed_too_much(folder, monkeypatch):
    # Event files are read by the second in their names; within one, writer 10 comes before 9.
    for start, steps, loss in ((0, (1, 2, 3), 9.0), (1, (2, 3, 4), 1.0)):
        monkeypatch.setattr(time, "time", lambda now=start + 1.0: now)
        with Metrics(folder, start) as metrics:
            for step in steps:
                metrics.on_train(step, {**LOSSES, "loss": loss})
    events = EventAccumulator(str(folder.tensorboard)).Reload()
    shown = [(scalar.step, scalar.value) for scalar in events.Scalars("train/loss")]
    assert shown == [(1, 9.0), (2, 1.0), (3, 1.0), (4, 1.0)]


def test_one_bar_shows_run_after_run_and_ends_by_itself(capsys):
    bar = ProgressBar()
    for _ in range(2):
        bar.on_begin(0, 1)
        bar.on_step(1)
        bar.on_end([], {})
        assert "1/1 final validation" in capsys.readouterr().err
