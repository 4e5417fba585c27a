"""A run that is made longer is the one that was as long from the start, or is refused."""

import pytest
import torch

from gnn_nas.config import PretrainConfig, load_config
from gnn_nas.errors import UserError
from gnn_nas.pretraining import trainer
from gnn_nas.pretraining.extending import MAY_GROW, can_extend, has_ended
from gnn_nas.pretraining.trainer import pretrain
from gnn_nas.pretraining.training_state import TrainingState
from gnn_nas.pretraining.validation import Validation
from gnn_nas.run_folder import RunFolder

FIGURES = dict.fromkeys(
    ("token_accuracy", "exact_match", "precision_at_1", "map_at_r", "prior_validity"), 0.5
)
CONSTANT = ("optimizer.schedule=constant", "optimizer.schedule_args={}")
STEP = ("optimizer.schedule=step", "optimizer.schedule_args={at: [3, 8], gamma: 0.2}")
COSINE = ("optimizer.schedule=cosine", "optimizer.schedule_args={}")


@pytest.fixture(autouse=True)
def _short(table, monkeypatch):
    monkeypatch.setattr(trainer, "_LAST_CHECK", 1)
    monkeypatch.setattr(trainer, "open_index", lambda space: table)
    monkeypatch.setattr(Validation, "measure", lambda self, controller: dict(FIGURES))
    monkeypatch.setattr(Validation, "measure_all", lambda self, controller: FIGURES | {"late": 1.0})


@pytest.fixture
def make(make_config):
    """Gives the config of a run of some steps."""

    def config(steps: int, *overrides: str) -> PretrainConfig:
        intervals = ("log_every=2", "validate_every=5", "checkpoint_every=4", f"steps={steps}")
        return make_config(*(f"training.{value}" for value in intervals), *overrides)

    return config


def assert_as_long_from_the_start(folder: RunFolder, whole: RunFolder, ends: list[int]) -> None:
    """The same weights and rows, but that the last validations of the shorter runs stay."""
    assert folder.finished
    assert folder.weights.read_bytes() == whole.weights.read_bytes()
    assert load_config(folder.config) == load_config(whole.config)
    assert folder.load_summary()["steps"] == whole.load_summary()["steps"]
    assert folder.load_summary().keys() == whole.load_summary().keys()

    def rows(each: RunFolder) -> list[dict]:
        ended = [{"step": end, "kind": "validation", **FIGURES, "late": 1.0} for end in ends]
        return [row for row in each.read_metrics() if row not in ended]

    assert rows(folder) == rows(whole)
    assert len(folder.read_metrics()) == len(whole.read_metrics()) + len(ends)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", [CONSTANT, STEP], ids=["constant", "step"])
def test_a_finished_run_goes_on_to_the_same_bits(make, tmp_path, schedule):
    whole = pretrain(make(12, *schedule), tmp_path / "whole")
    for steps in (4, 7, 12):
        run = pretrain(make(steps, *schedule), tmp_path / "run", resume=True)
        assert run.summary["steps"] == steps
    for name, value in whole.controller.state_dict().items():
        assert torch.equal(run.controller.state_dict()[name], value)
    assert run.metrics == RunFolder(tmp_path / "run").read_metrics()
    assert_as_long_from_the_start(
        RunFolder(tmp_path / "run"), RunFolder(tmp_path / "whole"), [4, 7]
    )


class Killed(BaseException):
    """What SIGKILL would be."""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["summary", "config", "advance", "save", "save_weights"])
def test_killed_at_any_moment_it_is_extended_all_the_same(make, tmp_path, monkeypatch, moment):
    pretrain(make(12, *CONSTANT), tmp_path / "whole")
    pretrain(make(7, *CONSTANT), tmp_path / "run")
    folder = RunFolder(tmp_path / "run")

    def dying(*_):
        raise Killed

    owner, name = {
        "summary": ("gnn_nas.files", "remove_leftovers"),  # just before it goes
        "config": ("gnn_nas.files", "write_text"),  # without summary, with the old config
        "advance": (TrainingState, "advance"),
        "save": (TrainingState, "save"),
        "save_weights": (RunFolder, "save_weights"),
    }[moment]
    with monkeypatch.context() as patch:
        if isinstance(owner, str):
            patch.setattr(f"{owner}.{name}", dying)
        else:
            patch.setattr(owner, name, dying)
        with pytest.raises(Killed):
            pretrain(make(12, *CONSTANT), folder.path, resume=True)
    assert folder.finished == (moment == "summary")
    if moment == "config":
        # It is still the shorter run, and ends as one.
        assert pretrain(make(7, *CONSTANT), folder.path, resume=True).summary["steps"] == 7
    pretrain(make(12, *CONSTANT), folder.path, resume=True)
    assert_as_long_from_the_start(folder, RunFolder(tmp_path / "whole"), [7])


def test_an_interrupted_run_is_extended_too(make, tmp_path, monkeypatch):
    pretrain(make(12, *CONSTANT), tmp_path / "whole")
    advance = TrainingState.advance

    def dying(self):
        if self.step == 6:
            raise Killed
        advance(self)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingState, "advance", dying)
        with pytest.raises(Killed):
            pretrain(make(10, *CONSTANT), tmp_path / "run")
    pretrain(make(12, *CONSTANT), tmp_path / "run", resume=True)
    assert_as_long_from_the_start(RunFolder(tmp_path / "run"), RunFolder(tmp_path / "whole"), [])


@pytest.mark.parametrize("schedule", [(), COSINE], ids=["one-cycle", "cosine"])
def test_where_it_would_not_be_exact_it_is_refused(make, tmp_path, schedule):
    pretrain(make(4, *schedule), tmp_path / "run")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("run/*.*")}
    with pytest.raises(UserError, match=r"the learning rate of every step depends on their number"):
        pretrain(make(6, *schedule), tmp_path / "run", resume=True)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("run/*.*")} == before


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["training.steps=3"], "training.steps was 4, now 3"),
        (["training.steps=6", "seed=1"], "seed was 0, now 1; training.steps was 4, now 6"),
        (["training.log_every=7"], "training.log_every was 2, now 7"),
    ],
)
def test_anything_else_must_be_as_it_was(make, tmp_path, overrides, message):
    folder = RunFolder.create(tmp_path / "run", make(4, *CONSTANT))
    before = folder.config.read_bytes()
    with pytest.raises(UserError, match=f"was begun with another config .{message}"):
        has_ended(folder, make(4, *CONSTANT, *overrides), resume=True)
    with pytest.raises(UserError, match=message):
        RunFolder.create(folder.path, make(4, *CONSTANT, *overrides), True, MAY_GROW)
    assert folder.config.read_bytes() == before


def test_the_checkpoint_of_a_longer_run_is_another_run_s(make, tmp_path):
    config = make(4, *CONSTANT)
    pretrain(make(6, *CONSTANT), tmp_path / "longer")
    folder = RunFolder.create(tmp_path / "run", config)
    folder.checkpoint.write_bytes(RunFolder(tmp_path / "longer").checkpoint.read_bytes())
    with pytest.raises(UserError, match="belongs to a run with another config"):
        pretrain(config, folder.path, resume=True)


def test_what_the_shipped_configs_say(pytestconfig):
    extended = {
        path.stem
        for path in (pytestconfig.rootpath / "configs").glob("*.yaml")
        if can_extend(load_config(path))
    }
    assert extended == {"paper_sgd"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("checkpoint.pt", None, "no such file, so there is nothing to resume"),
        ("checkpoint.pt", "x", "is damaged or no checkpoint"),
        ("metrics.jsonl", "x\n", "line 1 is no row of metrics"),
    ],
)
def test_what_cannot_be_extended_stays_a_finished_run(make, tmp_path, name, content, message):
    pretrain(make(4, *CONSTANT), tmp_path / "run")
    path = tmp_path / "run" / name
    path.unlink() if content is None else path.write_text(content)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("run/*.*")}
    with pytest.raises(UserError, match=f"{name}: {message}|{name} {message}"):
        pretrain(make(6, *CONSTANT), tmp_path / "run", resume=True)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("run/*.*")} == before
