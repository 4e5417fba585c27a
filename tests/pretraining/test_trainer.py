"""The order of events in a run; tests/cli/test_pretrain.py makes whole ones."""

import json
import math
import signal

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gnn_nas.config import PretrainConfig
from gnn_nas.errors import UserError
from gnn_nas.pretraining import trainer, training_state, validation
from gnn_nas.pretraining.callback import Callback
from gnn_nas.pretraining.trainer import PositivesViolation, pretrain
from gnn_nas.pretraining.training_state import TrainingState
from gnn_nas.pretraining.validation import Validation
from gnn_nas.run_folder import RunFolder
from gnn_nas.signals import terminated_as_interrupted
from gnn_nas.spaces.checker import PositivesCheck

FIGURES = dict.fromkeys(
    ("token_accuracy", "exact_match", "precision_at_1", "map_at_r", "prior_validity"), 0.5
)


class Killed(BaseException):
    """What SIGKILL would be."""


@pytest.fixture
def config(make_config) -> PretrainConfig:
    return make_config(
        "training.steps=10",
        "training.log_every=2",
        "training.validate_every=4",
        "training.checkpoint_every=3",
    )


@pytest.fixture
def run(tmp_path, table, config, monkeypatch):
    """Makes a run, or goes on with it, with validation and checks cut short."""
    monkeypatch.setattr(trainer, "_LAST_CHECK", 1)
    monkeypatch.setattr(trainer, "open_index", lambda space: table)
    monkeypatch.setattr(Validation, "measure", lambda self, controller: dict(FIGURES))
    monkeypatch.setattr(Validation, "measure_all", lambda self, controller: dict(FIGURES))

    def start(resume: bool = False, config: PretrainConfig = config) -> RunFolder:
        pretrain(config, tmp_path / "run", [Callback()], resume=resume)
        return RunFolder(tmp_path / "run")

    return start


def kill_at(monkeypatch, owner, name: str, call: int) -> None:
    """Let the ``call``-th call of a function be the last thing that happens."""
    original, calls = getattr(owner, name), []

    def dying(*arguments, **options):
        calls.append(name)
        if len(calls) == call:
            raise Killed
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, dying)


def events(folder: RunFolder) -> list[tuple[int, str]]:
    return [(row["step"], row["kind"]) for row in folder.read_metrics()]


ALL_EVENTS = [
    (2, "train"),
    (4, "train"),
    (4, "validation"),
    (6, "train"),
    (8, "train"),
    (8, "validation"),
    (10, "train"),
    (10, "validation"),
]


def test_rows_and_checkpoints_come_at_their_intervals(run, monkeypatch):
    saved = []
    save = TrainingState.save

    def saving(self, folder):
        saved.append(self.step)
        save(self, folder)

    monkeypatch.setattr(TrainingState, "save", saving)
    folder = run()
    assert events(folder) == ALL_EVENTS
    assert saved == [3, 6, 9, 10]
    row = folder.read_metrics()[0]
    assert set(row) == {
        *("step", "kind", "loss", "reconstruction", "metric", "structure", "token_accuracy"),
        "learning_rate",
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [
        (TrainingState, "advance", 1),  # before anything
        (TrainingState, "advance", 6),  # between checkpoints
        (TrainingState, "save", 1),  # at the first checkpoint
        (Validation, "measure", 2),
        (Validation, "measure_all", 1),  # trained, not validated
        (trainer, "check_positives", 2),  # validated, not summed up
        (Callback, "on_end", 1),
        (RunFolder, "save_weights", 1),
        (RunFolder, "save_summary", 1),
    ],
)
def test_killed_anywhere_and_resumed_it_ends_the_same(
    run, tmp_path, monkeypatch, owner, name, call
):
    uninterrupted = run()
    expected_rows, expected_weights = uninterrupted.read_metrics(), uninterrupted.load_weights()
    uninterrupted.path.rename(tmp_path / "uninterrupted")
    with monkeypatch.context() as patch:
        kill_at(patch, owner, name, call)
        with pytest.raises(Killed):
            run()
    folder = run(resume=True)
    assert folder.finished
    assert folder.read_metrics() == expected_rows
    weights = folder.load_weights()
    assert weights.keys() == expected_weights.keys()
    assert all(torch.equal(weights[key], value) for key, value in expected_weights.items())


@pytest.mark.parametrize(("emulated", "lines"), [(True, 1), (False, 0)])
def test_emulated_bfloat16_is_warned_of_in_one_line(
    run, make_config, monkeypatch, capsys, emulated, lines
):
    lower = make_config("training.steps=1", "training.precision=bfloat16")
    monkeypatch.setattr(trainer, "computes_in_bfloat16", lambda device: not emulated)
    folder = run(config=lower)
    warnings = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert len(warnings) == lines
    assert all("training.precision is bfloat16" in line for line in warnings)
    assert folder.load_summary()["precision"] == "bfloat16"


def test_the_summary_counts_and_times(run, config):
    summary = json.loads(run().summary.read_text())
    assert summary["steps"] == 10
    assert summary["seconds"] > 0
    assert summary["steps_per_second"] == pytest.approx(10 / summary["seconds"])
    assert 100 < summary["peak_memory_mb"] < 10_000
    assert summary["checked_pairs"] == 28
    assert 1 <= summary["max_anchor_distance"] <= 3
    assert 1 <= summary["max_positive_distance"] <= 6
    assert summary["held_out_cells"] == 4238
    assert summary["seed"] == config.seed
    assert summary["precision"] == "float32"
    assert summary["duplicate_positives"] >= 0
    assert FIGURES.items() <= summary.items()


@pytest.mark.slow
@pytest.mark.parametrize("weight", [0.0, 0.3])
def test_the_structure_error_is_noted_where_the_structure_is_learnt(
    make_config, table, standard, tmp_path, monkeypatch, weight
):
    monkeypatch.setattr(
        training_state, "open_description", lambda *_: lambda _, rows: standard[rows]
    )
    monkeypatch.setattr(trainer, "_LAST_CHECK", 1)
    monkeypatch.setattr(validation, "reconstruction", lambda *_: FIGURES)
    monkeypatch.setattr(validation, "distinct_embeddings", lambda *_: 7)
    for name in ("retrieval", "prior", "locality"):
        monkeypatch.setattr(validation, name, lambda *_: {})

    config = make_config(
        f"training.structure_weight={weight}",
        "training.steps=4",
        "training.log_every=1",
        "training.validate_every=2",
        "training.checkpoint_every=2",
    )
    monkeypatch.setattr(trainer, "open_index", lambda space: table)
    run = pretrain(config, tmp_path / "run")
    folder, summary = RunFolder(tmp_path / "run"), run.summary
    rows = [row for row in folder.read_metrics() if row["kind"] == "validation"]
    assert len(rows) == 2
    tags = EventAccumulator(str(folder.tensorboard)).Reload().Tags()["scalars"]
    for noted in (*rows, summary, json.loads(folder.summary.read_text())):
        assert ("structure_error" in noted) == (weight > 0)
    assert ("validation/structure_error" in tags) == (weight > 0)
    if weight:
        assert 0 < summary["structure_error"] == rows[1]["structure_error"] < 2
        assert rows[0] != rows[1]


@pytest.mark.parametrize("check", [1, 2])
def test_a_violation_fails_the_run(run, tmp_path, monkeypatch, check):
    """The first check is before the first step, the second at the end."""
    checks = []

    def checking(sampler, anchors, count, generator):
        checks.append(len(anchors))
        found = ["row 5: a positive is at distance 4"] if len(checks) == check else []
        return PositivesCheck(28, 4, 6, found)

    monkeypatch.setattr(trainer, "check_positives", checking)
    with pytest.raises(PositivesViolation, match="row 5: a positive is at distance 4"):
        run()
    folder = RunFolder.open(tmp_path / "run")
    assert not folder.finished
    assert folder.checkpoint.exists() == (check == 2)


def test_a_diverged_run_ends_with_a_sentence_and_can_be_told_from_a_finished_one(
    run, tmp_path, monkeypatch
):
    advance = TrainingState.advance

    def diverging(self):
        if self.step == 5:
            with torch.no_grad():
                self.controller.decoder.to_token.bias.fill_(math.inf)
        advance(self)

    monkeypatch.setattr(TrainingState, "advance", diverging)
    with pytest.raises(UserError, match="infinite or NaN by step 6"):
        run()
    folder = RunFolder.open(tmp_path / "run")
    assert not folder.finished
    assert folder.load_checkpoint()["step"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [1, 4, 5, 10])
def test_interrupted_at_any_step_it_is_saved_and_ends_the_same(
    run, monkeypatch, tmp_path, number, step
):
    """Between two checkpoints, in a step with a validation, and in the last one."""
    whole = run()
    whole.path.rename(tmp_path / "whole")
    whole = RunFolder(tmp_path / "whole")
    advance = TrainingState.advance

    def interrupted(self):
        advance(self)
        if self.step == step:
            signal.raise_signal(number)

    monkeypatch.setattr(TrainingState, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt), terminated_as_interrupted():
        run()
    folder = RunFolder(tmp_path / "run")
    assert folder.load_checkpoint()["step"] == step
    assert events(folder) == [event for event in ALL_EVENTS[:-1] if event[0] <= step]
    assert not folder.finished
    monkeypatch.setattr(TrainingState, "advance", advance)
    run(resume=True)
    assert folder.read_metrics() == whole.read_metrics()
    assert folder.weights.read_bytes() == whole.weights.read_bytes()


class Heard(Callback):
    """Notes all that it is told."""

    def __init__(self) -> None:
        self.calls = []

    def on_begin(self, step, steps):
        self.calls.append(("begin", step, steps))

    def on_step(self, step):
        self.calls.append(("step", step))

    def on_train(self, step, losses):
        self.calls.append(("train", step, losses))

    def on_validation(self, step, figures):
        self.calls.append(("validation", step, figures))

    def on_end(self, metrics, summary):
        self.calls.append(("end", len(metrics), summary))


def test_in_memory_it_is_the_same_run_and_writes_nothing(run, config, tmp_path, monkeypatch):
    folder = run()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    made = pretrain(config.model_dump())
    assert sorted(tmp_path.rglob("*")) == before
    assert made.metrics == folder.read_metrics()
    weights = made.controller.state_dict()
    assert all(torch.equal(weights[key], value) for key, value in folder.load_weights().items())
    assert made.summary.keys() == folder.load_summary().keys()
    assert not made.controller.training


def test_callbacks_hear_of_everything_in_order(run, config, tmp_path):
    heard = Heard()
    made = pretrain(config, callbacks=[heard])
    kinds = [(call[0], call[1]) for call in heard.calls]
    assert kinds[0] == ("begin", 0)
    assert heard.calls[0] == ("begin", 0, 10)
    assert [step for kind, step in kinds if kind == "step"] == list(range(1, 11))
    assert [(step, kind) for kind, step in kinds if kind in ("train", "validation")] == ALL_EVENTS
    assert kinds.index(("step", 4)) < kinds.index(("train", 4)) < kinds.index(("validation", 4))
    assert heard.calls[-1] == ("end", len(ALL_EVENTS), made.summary)


def test_a_callback_that_fails_ends_the_run_which_can_be_resumed(run, config, tmp_path):
    class Failing(Callback):
        def on_train(self, step, losses):
            if step == 8:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pretrain(config, tmp_path / "run", [Failing()])
    folder = RunFolder(tmp_path / "run")
    assert folder.load_checkpoint()["step"] == 6
    heard = Heard()
    pretrain(config, tmp_path / "run", [heard], resume=True)
    assert heard.calls[0] == ("begin", 6, 10)
    assert events(folder) == ALL_EVENTS


def test_a_finished_run_is_read(run, config, tmp_path):
    folder = run()
    before = {path.name: path.read_bytes() for path in folder.path.glob("*.*")}
    heard = Heard()
    made = pretrain(config, folder.path, [heard], resume=True)
    assert heard.calls == []
    assert (made.summary, made.metrics) == (folder.load_summary(), folder.read_metrics())
    weights = made.controller.state_dict()
    assert all(torch.equal(weights[key], value) for key, value in folder.load_weights().items())
    assert {path.name: path.read_bytes() for path in folder.path.glob("*.*")} == before
    with pytest.raises(UserError, match="holds a finished run: give another --out"):
        pretrain(config, folder.path)


def test_interrupted_in_memory_it_raises_and_leaves_signals_as_they_were(config, run, monkeypatch):
    advance, handler = TrainingState.advance, signal.getsignal(signal.SIGINT)

    def interrupted(self):
        advance(self)
        if self.step == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(TrainingState, "advance", interrupted)
    heard = Heard()
    with pytest.raises(KeyboardInterrupt):
        pretrain(config, callbacks=[heard])
    assert heard.calls[-1] == ("step", 3)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_run_in_memory_that_diverges_says_so(config, run, monkeypatch, make_config):
    advance = TrainingState.advance

    def diverging(self):
        with torch.no_grad():
            self.controller.decoder.to_token.bias.fill_(math.inf)
        advance(self)

    monkeypatch.setattr(TrainingState, "advance", diverging)
    unlogged = make_config("training.steps=2", "training.log_every=100")
    with pytest.raises(UserError, match="infinite or NaN by step 2"):
        pretrain(unlogged)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, "device must be cpu, cuda or auto, not gpu"),
        ({"resume": True}, "resume needs out"),
    ],
)
def test_what_is_asked_for_and_cannot_be_is_one_line(config, run, options, message):
    with pytest.raises(UserError, match=message):
        pretrain(config, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "the given config: seed must be greater than or equal to 0"),
        ({"sed": 1}, "the given config: unknown key sed, did you mean seed"),
        (
            {"optimizer": {"args": {"betas": [np.float64(0.9), 0.99]}}},
            "optimizer.args: an argument must be plain, not a float64",
        ),
    ],
)
def test_a_mistake_in_a_mapping_is_one_line(config, change, message):
    given = config.model_dump() | change
    with pytest.raises(UserError, match=message):
        pretrain(given)
    assert given == config.model_dump() | change
