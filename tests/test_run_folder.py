import math
import os
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gnn_nas import files
from gnn_nas.cli.locality import LocalityConfig
from gnn_nas.config import RunConfig, load_config
from gnn_nas.config_file import load
from gnn_nas.errors import UserError
from gnn_nas.experiments.predictor_quality import QualityConfig
from gnn_nas.experiments.searches.config import SearchConfig, TableSearchConfig, TaskSearchConfig
from gnn_nas.module_weights import load_into
from gnn_nas.plots.maps.cells import MapConfig
from gnn_nas.run_folder import RunFolder

CONFIG = load_config(Path(__file__).parents[1] / "configs" / "gin_multisim.yaml")


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs" / "one", CONFIG)


def refuses(message: str):
    # One line, with no dot standing for a newline.
    return pytest.raises(UserError, match=rf"\A[^\n]*{message}[^\n]*\Z")


def test_a_new_folder_holds_the_config(folder):
    assert load_config(folder.config) == CONFIG
    assert os.listdir(folder.path) == ["config.yaml"]
    assert not folder.finished


def test_an_empty_folder_and_one_killed_before_its_config_are_taken(tmp_path):
    (tmp_path / ".tmp-0123456789abcdef-config.yaml").write_text("seed")
    RunFolder.create(tmp_path, CONFIG)
    assert os.listdir(tmp_path) == ["config.yaml"]


def test_resuming_what_was_never_begun_begins_it(tmp_path):
    assert RunFolder.create(tmp_path / "new", CONFIG, resume=True).config.exists()


def test_an_unfinished_run_is_only_resumed(folder):
    with refuses("holds an unfinished run: continue it with --resume"):
        RunFolder.create(folder.path, CONFIG)
    assert RunFolder.create(folder.path, CONFIG, resume=True).path == folder.path


def test_a_finished_run_is_not_overwritten(folder):
    folder.save_summary({"steps": 1})
    with refuses("holds a finished run: give another --out"):
        RunFolder.create(folder.path, CONFIG)
    assert RunFolder.create(folder.path, CONFIG, resume=True).finished


def test_resuming_with_another_config_names_the_differing_keys(folder):
    other = CONFIG.model_copy(update={"seed": 7, "metric": None})
    with refuses("metric was absent, now None.*metric.loss was Multi.*seed was 0, now 7"):
        RunFolder.create(folder.path, other, resume=True)
    assert load_config(folder.config) == CONFIG


def test_a_folder_of_other_files_is_refused_and_kept(tmp_path):
    (tmp_path / "thesis.tex").write_text("words")
    for resume in (False, True):
        with refuses("holds files that no run wrote .thesis.tex."):
            RunFolder.create(tmp_path, CONFIG, resume=resume)
    assert os.listdir(tmp_path) == ["thesis.tex"]


def test_a_refused_folder_keeps_what_its_own_run_is_writing(folder):
    with files.atomic_path(folder.checkpoint) as temporary:
        temporary.touch()
        with refuses("unfinished"):
            RunFolder.create(folder.path, CONFIG)
    assert folder.checkpoint.exists()


def test_an_unwritable_place_is_one_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with refuses("cannot write the run folder"):
        RunFolder.create(tmp_path / "file", CONFIG)
    with refuses("cannot write the run folder"):
        RunFolder.create(tmp_path / "file" / "run", CONFIG)


def test_open_takes_run_folders_only(folder, tmp_path):
    assert RunFolder.open(folder.path).path == folder.path
    with refuses("no such run folder"):
        RunFolder.open(tmp_path / "absent")
    with refuses("is not a run folder: it has no config.yaml"):
        RunFolder.open(tmp_path)


def test_the_default_folder_is_named_after_the_config():
    assert RunFolder.default_path("a/b/gin_margin.yaml") == Path("runs/gin_margin")


def test_a_checkpoint_comes_back_as_it_was(folder):
    state = {"step": 3, "generator": torch.get_rng_state(), "losses": [1.0, math.nan]}
    folder.save_checkpoint({"step": 0})
    folder.save_checkpoint(state)
    loaded = folder.load_checkpoint()
    assert loaded["step"] == 3
    assert torch.equal(loaded["generator"], state["generator"])
    assert math.isnan(loaded["losses"][1])


def test_a_missing_checkpoint_is_said(folder):
    with refuses("checkpoint.pt: no such file"):
        folder.load_checkpoint()


@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_checkpoint_is_one_clear_error(folder, keep):
    folder.save_checkpoint({"weights": torch.rand(1000)})
    content = folder.checkpoint.read_bytes()
    folder.checkpoint.write_bytes(content[: int(keep * len(content))])
    with refuses("checkpoint.pt is damaged or no checkpoint .*delete the file"):
        folder.load_checkpoint()


def test_a_foreign_checkpoint_is_one_clear_error_and_runs_no_code(folder):
    folder.checkpoint.write_text("not a checkpoint")
    with refuses("is damaged or no checkpoint"):
        folder.load_checkpoint()
    torch.save(torch.rand(2), folder.checkpoint)
    with refuses("it holds a Tensor"):
        folder.load_checkpoint()
    torch.save({"code": Malicious()}, folder.checkpoint)
    with refuses("is damaged or no checkpoint"):
        folder.load_checkpoint()


class Malicious:
    def __reduce__(self):
        return pytest.fail, ("the unpickler ran code",)


def test_weights_come_back_as_they_were(folder):
    source, target = nn.Linear(3, 2), nn.Linear(3, 2)
    folder.save_weights(source.state_dict())
    load_into(target, folder.load_weights(), folder.weights)
    assert torch.equal(source.weight, target.weight)
    assert torch.equal(source.bias, target.bias)


def test_missing_and_damaged_weights_are_clear_errors(folder):
    with refuses("model.safetensors: no such file"):
        folder.load_weights()
    folder.save_weights({"a": torch.rand(100)})
    content = folder.weights.read_bytes()
    for damaged in (content[:5], content[:-5], b"", b"not weights at all"):
        folder.weights.write_bytes(damaged)
        with refuses("model.safetensors is damaged or no weights file"):
            folder.load_weights()


def test_a_summary_comes_back_and_a_damaged_one_is_one_clear_error(folder):
    with refuses("summary.json: cannot read: No such file"):
        folder.load_summary()
    folder.save_summary({"steps": 1, "loss": math.nan})
    assert folder.load_summary() == {"steps": 1, "loss": None}
    for damaged in ('{"steps": ', "[1]", "\xff"):
        folder.summary.write_text(damaged, encoding="latin-1")
        with refuses("summary.json is damaged or no summary: delete it and --resume"):
            folder.load_summary()


def test_every_seed_of_a_search_has_places_of_its_own(folder):
    assert folder.history(3) == folder.path / "history-3.csv"
    controller = folder.controller(3)
    assert controller.path == folder.path / "controller-3"
    assert not controller.finished
    assert controller.weights != folder.weights


def test_metrics_come_back_row_by_row(folder):
    assert folder.read_metrics() == []
    folder.append_metrics({"step": 1, "loss": torch.tensor(0.5)})
    folder.append_metrics({"step": 2, "loss": math.nan})
    assert folder.read_metrics() == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": None}]


@given(st.lists(st.integers(0, 50), max_size=20).map(sorted), st.integers(0, 50), st.integers(0, 9))
def test_cut_metrics_keeps_what_the_checkpoint_knows(tmp_path_factory, steps, step, torn):
    folder = RunFolder.create(tmp_path_factory.mktemp("run"), CONFIG)
    for row in steps:
        folder.append_metrics({"step": row})
    with folder.metrics.open("a") as stream:
        stream.write('{"step": 0}'[:torn])
    folder.cut_metrics(step)
    assert [row["step"] for row in folder.read_metrics()] == [row for row in steps if row <= step]
    folder.append_metrics({"step": step + 1})
    assert folder.read_metrics()[-1] == {"step": step + 1}


def test_a_damaged_row_of_metrics_is_named(folder):
    folder.metrics.write_text('{"step": 1}\n{"st\n{"step": 3}\n')
    with refuses("metrics.jsonl: line 2 is no row of metrics"):
        folder.read_metrics()


def test_a_run_of_the_first_format_is_taken_up_and_written_in_the_newest(tmp_path):
    folder = RunFolder.create(tmp_path / "run", CONFIG)
    text = folder.config.read_text().replace("format: 2\n", "")
    encoder = "  encoder:\n    name: gin\n    hidden: 128\n    layers: 3\n"
    assert encoder in text
    folder.config.write_text(text.replace(encoder, "  hidden: 128\n  layers: 3\n"))
    with refuses("model.encoder.layers was 3, now 4"):
        RunFolder.create(folder.path, load_config(folder.config, ["model.layers=4"]), resume=True)
    assert RunFolder.create(folder.path, CONFIG, resume=True).config.read_text() == CONFIG.to_yaml()
    folder.config.write_text("format: 9\n")
    with refuses(r"newer version of gnn_nas \(format 9; this one reads up to 2\): update it"):
        RunFolder.create(folder.path, CONFIG, resume=True)


SEARCH = {
    "method": "random",
    "queries": 3,
    "seeds": 1,
    "seed": 0,
    "checkpoint": None,
    "weights": None,
    "settings": {},
}
KINDS = [
    CONFIG,
    SearchConfig(**SEARCH, protocol="oracle", benchmark="measured"),
    TaskSearchConfig(**SEARCH, task="digits", fingerprint="0", trainings=1, task_settings={}),
    TableSearchConfig(**SEARCH, benchmark="measured", reward="accuracy", space="nasbench201"),
    MapConfig(
        seed=0,
        anchors=None,
        positives=None,
        cells=9,
        color="op",
        checkpoints=[None],
        weights=["0"],
        benchmark=None,
    ),
    LocalityConfig(
        parts=["a"],
        pairs=1,
        per_distance=1,
        seed=0,
        checkpoints=[],
        weights=[],
        benchmark=None,
    ),
    QualityConfig(label="test", members=1, checkpoint=None, weights=None, benchmark="measured"),
]


def test_all_kinds_of_config_are_among_these():
    def below(kind: type) -> set[type]:
        return {each for sub in kind.__subclasses__() for each in {sub, *below(sub)}}

    assert below(RunConfig) == {type(config) for config in KINDS}


@pytest.mark.parametrize("config", KINDS, ids=lambda config: type(config).__name__)
def test_every_config_says_its_format(tmp_path, config):
    newest = 1 + len(config.moved)
    path = RunFolder.create(tmp_path, config).config
    written = path.read_text()
    assert written.startswith(f"format: {newest}\n")
    assert load(type(config), path) == config
    if newest == 1:
        # What was written before configs said it.
        path.write_text(written.removeprefix("format: 1\n"))
        assert load(type(config), path) == config
        assert RunFolder.create(tmp_path, config, resume=True).config.read_text() == written
    path.write_text(written.replace(f"format: {newest}", f"format: {newest + 1}") + "new: 1\n")
    before = path.read_text()
    newer = f"written by a newer version of gnn_nas .format {newest + 1}; this one reads up to"
    with refuses(newer):
        RunFolder.create(tmp_path, config, resume=True)
    with refuses(newer):
        load(type(config), path)
    assert path.read_text() == before


def test_a_key_that_may_grow_only_grows_and_its_run_is_unfinished_then(tmp_path):
    config = KINDS[1]
    folder = RunFolder.create(tmp_path, config)
    folder.save_summary({"queries": 3})
    larger = config.model_copy(update={"queries": 5, "seeds": 2})
    for may_grow in ((), ("queries",)):
        with refuses("queries was 3, now 5; seeds was 1, now 2"):
            RunFolder.create(tmp_path, larger, True, may_grow)
    with refuses("holds a finished run"):
        RunFolder.create(tmp_path, larger, False, ("queries", "seeds"))
    assert folder.finished
    assert RunFolder.create(tmp_path, config, True, ("queries", "seeds")).finished
    assert not RunFolder.create(tmp_path, larger, True, ("queries", "seeds")).finished
    assert load(SearchConfig, folder.config) == larger
    with refuses("queries was 5, now 3; seeds was 2, now 1"):
        RunFolder.create(tmp_path, config, True, ("queries", "seeds"))
