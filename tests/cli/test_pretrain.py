"""The command as a user has it; every complaint is one line and leaves everything as it was."""

import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from gnn_nas.cli.pretrain import main
from gnn_nas.config import load_config
from gnn_nas.pretraining.batches import held_out_cells
from gnn_nas.pretraining.training_state import TrainingState
from gnn_nas.run_folder import RunFolder
from tests.helpers.quick_pretrain import cut_short

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "gin_multisim.yaml"
STEPS = 60
TINY = (
    "model.encoder.hidden=8",
    "model.encoder.layers=2",
    "model.embedding=8",
    "model.decoder_hidden=8",
    "model.predictor_hidden=8",
    "data.batch_size=16",
    "training.log_every=5",
    "training.validate_every=25",
    "training.checkpoint_every=7",
    "training.embedding_noise=0.01",
    "training.structure_weight=0.0",
    "function=null",
)
OPTIONS = [f"--config={CONFIG}", f"--max-steps={STEPS}", *(f"--set={value}" for value in TINY)]

FIGURES = {
    *("token_accuracy", "exact_match", "precision_at_1", "map_at_r"),
    *("prior_validity", "prior_uniqueness", "distinct_embeddings", "edit_distance_spearman"),
    *("checked_pairs", "max_anchor_distance", "max_positive_distance", "duplicate_positives"),
    *("steps", "seconds", "steps_per_second", "peak_memory_mb"),
}


def start(*options: str, **places) -> subprocess.Popen:
    # As many threads as there are here: the order of additions may depend on it.
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    return subprocess.Popen(
        [sys.executable, "-m", "gnn_nas", "pretrain", *OPTIONS, *options],
        env={**os.environ, **threads, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **places,
    )


@pytest.fixture(scope="module")
def cwd(tmp_path_factory) -> Path:
    """A folder from which a whole run was made, with the default --out."""
    folder = tmp_path_factory.mktemp("cwd")
    process = start(cwd=folder)
    out, err = process.communicate()
    assert process.returncode == 0, err
    (folder / "stdout").write_text(out)
    return folder


@pytest.fixture(scope="module")
def finished(cwd) -> RunFolder:
    return RunFolder.open(cwd / "runs" / "gin_multisim")


@pytest.fixture
def interrupted(finished, tmp_path) -> RunFolder:
    """A run that was killed between its last checkpoint and its summary."""
    shutil.copytree(finished.path, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    folder.summary.unlink()
    return folder


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def complaint(capsys):
    """Gives the one line with which the command refuses."""

    def call(*options: str | Path) -> str:
        assert main([str(option) for option in options]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert re.fullmatch(r"error: [^\n]+\n", err)
        return err

    return call


@pytest.mark.slow
def test_every_file_that_help_names_is_there(finished, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    named = set(re.findall(r"\b[\w-]+\.(?:yaml|safetensors|json|jsonl|png|pt)\b", shown))
    named = {name for name in named if not name.startswith(("gin_", "my_"))} | {"tensorboard"}
    assert {entry.name for entry in finished.path.iterdir()} == named
    assert len(named) == 7
    assert finished.curves.read_bytes().startswith(b"\x89PNG")
    assert any(path.name.startswith("events.") for path in finished.tensorboard.iterdir())


def test_a_run_cut_short_has_all_its_files(monkeypatch, tmp_path, capsys):
    cut_short(monkeypatch.setattr)
    folder = RunFolder(tmp_path / "run")
    assert main([*OPTIONS, "--max-steps=5", "--out", str(folder.path)]) == 0
    assert f"written to {folder.path}" in capsys.readouterr().out
    written = {"config.yaml", "model.safetensors", "summary.json", "metrics.jsonl", "checkpoint.pt"}
    assert set(os.listdir(folder.path)) == written | {"curves.png", "tensorboard"}
    assert folder.load_checkpoint()["step"] == folder.load_summary()["steps"] == 5


@pytest.mark.slow
def test_the_summary_holds_every_figure_and_is_printed(finished, cwd):
    summary = json.loads(finished.summary.read_text())
    assert summary.keys() >= FIGURES
    assert all(isinstance(summary[name], int | float) for name in FIGURES)
    assert summary["steps"] == STEPS
    assert summary["checked_pairs"] >= 300
    assert summary["max_anchor_distance"] == 3
    assert 3 < summary["max_positive_distance"] <= 6
    assert 300_000 < summary["distinct_embeddings"] <= 423_624
    assert summary["token_accuracy"] > 0.3
    assert 0 < summary["edit_distance_spearman"] < 1
    printed = (cwd / "stdout").read_text()
    assert all(re.search(rf"^{name} +\S+$", printed, re.MULTILINE) for name in summary)


@pytest.mark.slow
def test_the_resolved_config_and_the_weights_are_there(finished, table):
    config = load_config(finished.config)
    assert config == load_config(CONFIG, [*TINY, f"training.steps={STEPS}"])
    state = TrainingState(config, table, held_out_cells(table, 0.01))
    weights = finished.load_weights()
    assert weights.keys() == state.controller.state_dict().keys()
    checkpoint = finished.load_checkpoint()
    assert checkpoint["step"] == STEPS
    for name, value in checkpoint["controller"].items():
        assert torch.equal(weights[name], value)


@pytest.mark.slow
def test_rows_of_metrics_come_at_their_intervals(finished):
    rows = finished.read_metrics()
    assert [r["step"] for r in rows if r["kind"] == "train"] == list(range(5, STEPS + 1, 5))
    assert [r["step"] for r in rows if r["kind"] == "validation"] == [25, 50, STEPS]
    train = [row for row in rows if row["kind"] == "train"]
    assert train[-1]["reconstruction"] < train[0]["reconstruction"]


@pytest.mark.slow
def test_a_second_run_in_the_folder_is_refused(finished, complaint):
    before = snapshot(finished.path)
    line = complaint(*OPTIONS, "--out", finished.path)
    assert "holds a finished run: give another --out" in line
    assert snapshot(finished.path) == before


@pytest.mark.slow
def test_resuming_a_finished_run_changes_nothing(finished, capsys):
    before = snapshot(finished.path)
    assert main([*OPTIONS, "--out", str(finished.path), "--resume"]) == 0
    assert "holds a finished run: nothing to resume" in capsys.readouterr().err
    assert snapshot(finished.path) == before


@pytest.mark.slow
def test_the_folder_alone_says_what_is_resumed(interrupted, finished, capsys):
    """After its last step: only what comes after it is made again."""
    assert main(["--resume", "--out", str(interrupted.path)]) == 0
    assert f"written to {interrupted.path}" in capsys.readouterr().out
    assert_same(interrupted, finished)
    before = snapshot(interrupted.path)
    assert main(["--resume", "--out", str(interrupted.path), "--seed=0"]) == 0
    assert "holds a finished run: nothing to resume" in capsys.readouterr().err
    assert snapshot(interrupted.path) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give --config or --space, or --resume and --out of a run to go on with"),
        (["--resume"], "give --config or --space, or --resume and --out of a run to go on with"),
        (["--out=absent"], "give --config or --space, or --resume and --out of a run"),
        (["--resume", "--out=absent"], "absent: no such run folder"),
        (["--resume", "--out=."], "is not a run folder: it has no config.yaml"),
        (["--resume", "--out=run", "--seed=7"], "another config (seed was 0, now 7): resume with"),
        (["--resume", "--out=run", "--max-steps=9"], "(training.steps was 60, now 9)"),
        (["--resume", "--out=run", "--set=model.hiden=9"], "--set: unknown key model.hiden"),
        (
            ["--resume", "--out=run", "--max-steps=400"],
            "run was begun with fewer training.steps than 400, and with the schedule one-cycle",
        ),
    ],
)
def test_what_cannot_be_resumed_is_one_line(
    finished, complaint, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(finished.path, tmp_path / "run")
    before = snapshot(tmp_path)
    assert message in complaint(*options)
    assert snapshot(tmp_path) == before


def killed_at(step: int, delay: float, *options: str, number: int = signal.SIGKILL) -> str:
    """Start the command and send a signal a moment after it has noted a step, or 0, its config.

    Gives what it says on stderr.
    """
    folder = RunFolder(options[1])
    process = start(*options)
    while process.poll() is None:
        reached = folder.config.exists() if not step else last_step(folder.metrics) >= step
        if reached:
            time.sleep(delay)
            process.send_signal(number)
            break
        time.sleep(0.002)
    _, err = process.communicate()
    assert process.returncode == (143 if number == signal.SIGTERM else -number), err
    return err


def last_step(metrics: Path) -> int:
    steps = re.findall(
        rb'^{"step": (\d+),', metrics.read_bytes() if metrics.exists() else b"", re.M
    )
    return int(steps[-1]) if steps else 0


@pytest.mark.slow
def test_killed_at_random_moments_and_resumed_it_ends_bit_for_bit_the_same(finished, tmp_path):
    draw = random.Random(1)
    folder = RunFolder(tmp_path / "run")
    options = ["--out", str(folder.path)]
    moments = [0, *sorted(draw.sample(range(10, STEPS - 20), 3)), STEPS]
    for step in moments:
        killed_at(step, draw.uniform(0, 0.05), *options)
        assert not folder.finished
        options[2:] = ["--resume"]
    process = start(*options)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert_same(folder, finished)


@pytest.mark.slow
def test_sigterm_saves_and_names_the_call_with_which_it_ends_bit_for_bit_the_same(
    finished, tmp_path
):
    folder = RunFolder(tmp_path / "run")
    err = killed_at(30, 0.01, "--out", str(folder.path), number=signal.SIGTERM)
    line = err.splitlines()[-1]
    assert line.startswith("interrupted: continue with: ")
    words = shlex.split(line.removeprefix("interrupted: continue with: "))
    assert words[:4] == ["python", "-m", "gnn_nas", "pretrain"]
    options = words[4:]
    assert options[-3:] == ["--out", str(folder.path), "--resume"]
    assert folder.load_checkpoint()["step"] >= max(30, last_step(folder.metrics))
    assert main(options) == 0
    assert_same(folder, finished)


def assert_same(folder: RunFolder, finished: RunFolder) -> None:
    """Compare two finished runs; times and memory may differ."""
    assert folder.weights.read_bytes() == finished.weights.read_bytes()
    assert folder.read_metrics() == finished.read_metrics()
    assert sorted(os.listdir(folder.path)) == sorted(os.listdir(finished.path))
    untimed = [
        {
            name: value
            for name, value in json.loads(each.summary.read_text()).items()
            if name not in ("seconds", "steps_per_second", "peak_memory_mb")
        }
        for each in (folder, finished)
    ]
    assert untimed[0] == untimed[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set=model.embeding=9"], r"unknown key model.embeding, did you mean embedding\?"),
        (
            ["--set=model.encoder.hidden=wide"],
            "model.encoder.hidden must be an integer, not the text 'wide'",
        ),
        (["--set=model.encoder.hidden=1.5"], "model.encoder.hidden must be an integer, not 1.5"),
        (["--set=nonsense"], r"--set nonsense: expected \[section.\]key=value"),
        (["--set=seed.x=1"], "seed is 0 in .*, so it has no keys to set"),
        (["--set=data.batch_size=20"], "20 must be divisible by 1 . positives = 8"),
        (["--max-steps=0"], "training.steps must be greater than or equal to 1, not 0"),
        (["--seed=-1"], "seed must be greater than or equal to 0, not -1"),
        (["--config=absent.yaml"], "absent.yaml: cannot read the config: No such file"),
        (["--set=metric.loss=MultiLoss"], "config: Unknown metric loss 'MultiLoss'; choose one"),
        (["--set=metric.miner=Hard"], "config: Unknown miner 'Hard'; choose one of AngularMiner"),
        (["--set=metric.loss_args={gamma: 1}"], "no argument 'gamma'; it accepts alpha, beta"),
        (["--set=metric.loss_args={alpha: x}"], "alpha must be a number, not 'x'"),
        (["--set=optimizer.name=Adan"], "optimizer.name 'Adan' is none of ASGD"),
        (["--set=optimizer.args={beta: 1}"], "optimizer.args do not fit"),
        (["--set=optimizer.schedule=linear"], "optimizer.schedule must be 'constant', 'step'"),
        (["--set=optimizer.schedule_args={at: 6}"], "schedule_args do not fit"),
        (["--set=optimizer.schedule_args={floor: -5}"], "floor must be a number that is not neg"),
        (
            ["--set=metric.loss=VICRegLoss", "--set=metric.loss_args={}"],
            "VICRegLoss, .* fails",
        ),
    ],
)
def test_a_mistake_in_the_config_is_one_line_and_leaves_no_folder(
    complaint, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    assert re.search(message, complaint(*OPTIONS, "--out=run", *options))
    assert os.listdir(tmp_path) == []


def test_a_mistake_in_the_file_names_file_and_key(complaint, tmp_path):
    text = CONFIG.read_text()
    for found, replaced, message in (
        ("  embedding:", "  embeding:", r"mine.yaml: .*unknown key model.embeding, did you mean"),
        ("seed: 0", "seed: zero", "mine.yaml: seed must be an integer, not the text 'zero'"),
        ("seed: 0", "seed: [", "mine.yaml: line .*not YAML"),
        (text, "", "mine.yaml: the config is empty"),
    ):
        path = tmp_path / "mine.yaml"
        path.write_text(text.replace(found, replaced))
        line = complaint("--config", path, "--out", tmp_path / "run")
        assert re.search(message, line)
        assert os.listdir(tmp_path) == ["mine.yaml"]


def test_a_file_in_the_way_of_the_folder_is_one_line(complaint, tmp_path):
    (tmp_path / "file").write_text("precious")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        assert "cannot write the run folder" in complaint(*OPTIONS, "--out", out)
    assert snapshot(tmp_path) == {"file": b"precious"}


def test_a_folder_of_other_files_is_refused(complaint, tmp_path):
    (tmp_path / "thesis.tex").write_text("words")
    for options in ([], ["--resume"]):
        line = complaint(*OPTIONS, "--out", tmp_path, *options)
        assert "holds files that no run wrote (thesis.tex)" in line
    assert snapshot(tmp_path) == {"thesis.tex": b"words"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_asking_for_one_is_one_line(complaint, tmp_path):
    line = complaint(*OPTIONS, "--out", tmp_path / "run", "--device=cuda")
    assert "--device cuda: torch finds no usable GPU here" in line
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_an_unfinished_run_is_not_begun_anew(interrupted, complaint):
    before = snapshot(interrupted.path)
    line = complaint(*OPTIONS, "--out", interrupted.path)
    assert "holds an unfinished run: continue it with --resume" in line
    assert snapshot(interrupted.path) == before


@pytest.mark.slow
def test_resuming_with_another_config_is_refused(interrupted, complaint):
    before = snapshot(interrupted.path)
    line = complaint(*OPTIONS, "--out", interrupted.path, "--resume", "--seed=7")
    assert "was begun with another config (seed was 0, now 7)" in line
    assert snapshot(interrupted.path) == before


@pytest.mark.slow
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.99])
def test_a_truncated_checkpoint_is_one_line_and_nothing_is_lost(interrupted, complaint, keep):
    content = interrupted.checkpoint.read_bytes()
    interrupted.checkpoint.write_bytes(content[: int(keep * len(content))])
    before = snapshot(interrupted.path)
    line = complaint(*OPTIONS, "--out", interrupted.path, "--resume")
    assert "checkpoint.pt is damaged or no checkpoint" in line
    assert "delete the file and --resume to run from step 0" in line
    assert snapshot(interrupted.path) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.encoder.hidden=9", "holds another architecture than the config: encoder"),
        ("seed=7", "belongs to a run with another config"),
    ],
)
def test_the_checkpoint_of_another_run_is_one_line_and_nothing_is_lost(
    interrupted, complaint, table, tmp_path, override, message
):
    config = load_config(CONFIG, [*TINY, override])
    other = RunFolder.create(tmp_path / "other", config)
    TrainingState(config, table, held_out_cells(table, 0.01)).save(other)
    shutil.copy(other.checkpoint, interrupted.checkpoint)
    before = snapshot(interrupted.path)
    assert message in complaint(*OPTIONS, "--out", interrupted.path, "--resume")
    assert snapshot(interrupted.path) == before
