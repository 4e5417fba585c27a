import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gnn_nas.pretraining.report import Report
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
    with Report(folder, steps=13_238, step=5_999) as report:
        report.advance()
        report.train(1, LOSSES)
        report.validation(2, FIGURES)
    assert folder.read_metrics() == [
        {"step": 1, "kind": "train", **LOSSES},
        {"step": 2, "kind": "validation", **FIGURES},
    ]
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


def test_the_bar_fits_a_plain_terminal(folder, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with Report(folder, steps=13_238, step=0) as report:
        report.advance()
        report.train(1, LOSSES)
        report.progress.update(report.task, completed=13_000, pace="12.3 steps/s")
    bar = capsys.readouterr().err.splitlines()[-1]
    assert "13000/13238 rec 1.5000 metric 0.5000 tokens 25.00% 12.3 steps/s" in bar
    assert "…" not in bar


def test_a_resumed_run_takes_back_what_the_killed_one_showed_too_much(folder):
    for start, steps, loss in ((0, (1, 2, 3), 9.0), (1, (2, 3, 4), 1.0)):
        with Report(folder, steps=4, step=start) as report:
            for step in steps:
                report.train(step, {**LOSSES, "loss": loss})
    events = EventAccumulator(str(folder.tensorboard)).Reload()
    shown = [(scalar.step, scalar.value) for scalar in events.Scalars("train/loss")]
    assert shown == [(1, 9.0), (2, 1.0), (3, 1.0), (4, 1.0)]
