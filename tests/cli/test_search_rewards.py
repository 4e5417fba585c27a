"""Searches with tasks, as a user has it; the trainings are made up but for one search's."""

import csv
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gnn_nas.cli import search
from gnn_nas.cli.search import main
from gnn_nas.config_file import load
from gnn_nas.experiments.searches.config import TaskSearchConfig
from gnn_nas.run_folder import RunFolder

ROOT = Path(__file__).parents[2]
QUERIES = 24
OPTIONS = ["--method=evolution", f"--queries={QUERIES}", "--seeds=2", "--checkpoint=none"]
OPTIONS += ["--set=population=6", "--set=sample=3", "--task=mine:task"]

MODULE = """
import os, time
from pathlib import Path

def note(name, cell):
    with (Path(__file__).parent / name).open("a") as stream:
        stream.write(f"{cell.edges.item()} {cell.ops[0].tolist()}\\n")

class Slow:
    cost = "latency"
    def train(self, cell, seed): ...

slow = Slow()

class Task:
    def train(self, cell, seed):
        note("begun", cell)
        time.sleep(0.1)
        if cell.edges.item() % 13 == 0:
            raise ValueError("unlucky")
        edges = cell.edges.item()
        figures = {"accuracy": 0.5, "parameters": edges, "note": f"cell of {edges}"}
        return {"reward": edges % 1009 / 1009, **figures}

    def test(self, cell, seed):
        note("tested", cell)
        return 0.25

task = Task()
"""


def environment(home: Path) -> dict[str, str]:
    """Of a machine on which no measurements are."""
    changed = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(home)}
    changed.pop("GNN_NAS_BENCHMARK", None)
    return changed


def start(folder: Path, *options: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "gnn_nas", "search", *options],
        env=environment(folder),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def workplace(folder: Path) -> Path:
    (folder / "mine.py").write_text(MODULE)
    return folder


@pytest.fixture(scope="module")
def cwd(table, tmp_path_factory) -> Path:
    """A folder in which a whole search was made, with the default --out."""
    folder = workplace(tmp_path_factory.mktemp("cwd"))
    process = start(folder, *OPTIONS, "--jobs=1")
    out, err = process.communicate()
    assert process.returncode == 0, err
    (folder / "stdout").write_text(out)
    return folder


@pytest.fixture(scope="module")
def finished(cwd) -> RunFolder:
    return RunFolder.open(cwd / "runs" / "search-evolution-task-none")


def noted(folder: Path, name: str) -> list[str]:
    path = folder / name
    return path.read_text().splitlines() if path.exists() else []


def rows(path: Path, columns: str = "*", purpose: str = "search") -> list[tuple]:
    if not path.exists():
        return []
    # Not read-only: after a kill in mid-write, who opens the file takes back what is half done.
    with sqlite3.connect(f"file:{path}?mode=rw", uri=True) as database:
        question = f"SELECT {columns} FROM evaluations WHERE purpose = ? ORDER BY hash"
        try:
            return database.execute(question, (purpose,)).fetchall()
        except sqlite3.OperationalError:  # it is just being made
            return []


def history(folder: RunFolder, seed: int) -> list[dict[str, str]]:
    with folder.history(seed).open() as stream:
        queries = list(csv.DictReader(stream))
    for query in queries:
        del query["seconds"]
    return queries


@pytest.mark.slow
def test_every_file_that_help_names_is_there(finished, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    named = set(re.findall(r"^  ([\w.-]+?)/? ", shown[shown.index("receives:") :], re.MULTILINE))
    # The page is for measurements, and a user's own task keeps no weights.
    named -= {"search.html", "network.safetensors"}
    seeds = {kind.replace("-0", f"-{seed}") for kind in named for seed in (0, 1)}
    assert {entry.name for entry in finished.path.iterdir()} == seeds
    for name in ("search.png", "pareto.png", "best.png"):
        assert (finished.path / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_summary_has_what_a_task_can_tell_and_nothing_of_a_benchmark(finished, cwd):
    text = finished.summary.read_text()
    summary = json.loads(text)
    assert not re.search("regret|rank|test_unseen|first_best", text)
    queries = [history(finished, seed) for seed in (0, 1)]
    for seed, outcome in enumerate(summary["per_seed"]):
        rewards = [float(query["reward"] or "-inf") for query in queries[seed]]
        assert outcome["reward"] == max(rewards)
        assert outcome["queries_to_best"] == rewards.index(max(rewards)) + 1
        assert outcome["failures"] == rewards.count(float("-inf"))
        assert outcome["test"] == 0.25
        assert outcome["seconds"] > 0.1 * QUERIES * 0.9
    best = max(summary["per_seed"], key=lambda outcome: outcome["reward"])
    assert summary["best"]["hash"] == best["hash"]
    cells = {query["hash"] for each in queries for query in each}
    assert sum(summary["trainings"].values()) == len(cells)
    front = summary["pareto"]
    assert [each["cost"] for each in front] == sorted(each["cost"] for each in front)
    printed = (cwd / "stdout").read_text()
    assert re.match(r"evolution, task task +mean +std +worst\n", printed)
    assert f"best cell: {best['hash']} (seed {summary['best']['seed']})\n0  in\n" in printed


@pytest.mark.slow
def test_held_out_data_is_looked_at_once_at_the_end_of_every_seed(finished, cwd):
    summary = json.loads(finished.summary.read_text())
    found = {outcome["hash"] for outcome in summary["per_seed"]}
    assert len(noted(cwd, "tested")) == len(found)
    store = finished.path / "evaluations.sqlite"
    assert {row[0] for row in rows(store, "hash", "test")} == found
    assert not any("test" in json.loads(metrics) for (metrics,) in rows(store, "metrics"))


@pytest.mark.slow
def test_two_seeds_never_train_the_same_cell_twice(finished, cwd):
    cells = {query["hash"] for seed in (0, 1) for query in history(finished, seed)}
    assert len(noted(cwd, "begun")) == len(cells)
    assert len(rows(finished.path / "evaluations.sqlite")) == len(cells)


@pytest.mark.slow
def test_a_text_among_the_figures_is_kept(finished):
    kept = [
        json.loads(metrics) for (metrics,) in rows(finished.path / "evaluations.sqlite", "metrics")
    ]
    told = [metrics for metrics in kept if metrics]
    assert told
    assert all(metrics["note"] == f"cell of {metrics['parameters']:.0f}" for metrics in told)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "begun", "queries"),
    [
        ([], False, 40),
        (["--queries=7"], False, 7),
        (["--resume"], True, 300),
        (["--resume"], False, 40),
        (["--resume", "--queries=7"], True, 7),
    ],
)
def test_the_queries_of_a_task_are_few_or_those_it_was_begun_with(
    finished, monkeypatch, tmp_path, capsys, options, begun, queries
):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)
    monkeypatch.chdir(tmp_path)
    if begun:
        config = load(TaskSearchConfig, finished.config)
        config = config.model_copy(update={"queries": 300, "task": "digits"})
        RunFolder.create(tmp_path / "runs" / "search-nao-digits", config)
    searched = []
    monkeypatch.setattr(search, "_search", lambda *arguments: searched.append(arguments[0]))
    assert main(["--jobs=1", "--seeds=2", *options]) == 0
    assert searched[0].queries == queries
    err = capsys.readouterr().err
    assert re.search(rf" {2 * queries} in about {-(-2 * queries // 60)} minutes?", err)


@pytest.mark.slow
def test_failures_are_recorded_and_the_search_goes_on(finished):
    failed = [query for seed in (0, 1) for query in history(finished, seed) if query["failure"]]
    assert failed
    assert all(query["failure"] == "failed: ValueError: unlucky" for query in failed)
    assert all(query["reward"] == "" for query in failed)


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in listed for child in path.read_text().split()]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_killed_in_mid_training_and_resumed_nothing_is_lost_or_repeated(finished, cwd, tmp_path):
    """By two processes, where the other search was made by one."""
    folder = RunFolder(workplace(tmp_path) / "run")
    store = folder.path / "evaluations.sqlite"
    draw = random.Random(0)
    options = [*OPTIONS, "--out=run", "--jobs=2"]
    kept: dict[str, tuple] = {}
    for count in (2, 15):
        process = start(tmp_path, *options)
        while len(rows(store)) < count and process.poll() is None:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.1))
        workers = children(process.pid)
        process.send_signal(signal.SIGKILL)
        _, err = process.communicate()
        assert process.returncode == -signal.SIGKILL, err
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            time.sleep(0.01)  # they are gone soon after
        now = {row[0]: row for row in rows(store)}
        assert len(now) >= count
        assert kept.items() <= now.items()
        kept = now
        options = [*OPTIONS, "--out=run", "--jobs=2", "--resume"]
    process = start(tmp_path, *options)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert kept.items() <= {row[0]: row for row in rows(store)}.items()
    # What two workers were at when they were killed was begun again, and nothing else.
    assert len(noted(tmp_path, "begun")) <= len(rows(store)) + 2 * 2
    for seed in (0, 1):
        assert history(folder, seed) == history(finished, seed)
    before = len(noted(tmp_path, "begun")), folder.summary.read_bytes()
    process = start(tmp_path, *options)
    assert "holds a finished search: nothing to resume" in process.communicate()[1]
    assert (len(noted(tmp_path, "begun")), folder.summary.read_bytes()) == before


@pytest.mark.slow
def test_without_measurements_digits_are_searched_for_real(tmp_path):
    process = start(tmp_path, "--checkpoint=none", "--method=random", "--queries=3", "--jobs=1")
    out, err = process.communicate()
    assert process.returncode == 0, err
    lines = err.splitlines()
    assert lines[0] == (
        "no measurements of NAS-Bench-101 are here: cells are trained for the task digits, 3 in"
        " about 1 minute (see --queries, --task and --benchmark)"
    )
    folder = RunFolder.open(tmp_path / "runs" / "search-random-digits-none")
    summary = folder.load_summary()
    assert 0.3 < summary["best"]["reward"] < 1
    assert 0.3 < summary["best"]["test"] < 1
    assert summary["best"]["latency"] > 0
    assert (folder.path / "network.safetensors").exists()
    assert folder.best_cell.exists()
    assert f"best cell: {summary['best']['hash']}" in out


@pytest.fixture
def complaint(tmp_path, monkeypatch, capsys):
    """Gives the one line with which the command refuses; nothing is left behind."""
    monkeypatch.chdir(workplace(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))

    def call(*options: str) -> str:
        before = sorted(os.listdir(tmp_path))
        assert main(["--out=run", *options]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert re.fullmatch(r"error: [^\n]+\n", err)
        assert sorted(set(os.listdir(tmp_path)) - {"__pycache__"}) == before
        return err

    yield call
    sys.modules.pop("mine", None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task=mine:absent"], "the module has no absent"),
        (["--task=mine:os"], "mine:os is no task"),
        (["--task=absent.yaml"], "absent.yaml: cannot read the config: No such file"),
        (["--task=digit"], "neither digits nor FILE.yaml nor module:object"),
        (["--task=digits", "--protocol=oracle"], "--protocol is for measurements"),
        (["--task=digits", "--html"], "--html is for measurements"),
        (["--task=digits", "--task-gpus=1"], "--task-gpus needs --engine ray"),
        (["--task=digits", "--engine=ray", "--task-cpus=-1"], "--task-cpus must not be negative"),
        (["--task=mine:slow", "--jobs=2"], "its cost is latency, which trainings made at the same"),
        (["--task=mine:slow", "--jobs=1", "--engine=ray"], "give --jobs 1, without --engine ray"),
        (["--task=digits", "--jobs=0"], "--jobs must be at least 1, not 0"),
        (["--task=digits", "--checkpoint=absent"], "absent: no such run folder"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_no_folder(complaint, options, message):
    assert message in complaint(*options)


def test_a_wrong_place_of_measurements_is_no_reason_to_train(complaint, monkeypatch):
    monkeypatch.setenv("GNN_NAS_BENCHMARK", "absent")
    assert "absent: cannot read: No such file" in complaint()


@pytest.mark.slow
def test_resuming_with_another_task_is_refused(cwd, finished, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(cwd)
    named = [f"--out={finished.path}", "--resume", *OPTIONS[:-1], "--task=digits"]
    assert main(named) == 2
    err = capsys.readouterr().err
    assert "was begun with another config" in err
    assert "task was task, now digits" in err


@pytest.mark.slow
def test_a_folder_says_its_task_where_it_was_noted(cwd, finished, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(cwd)
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = RunFolder(shutil.copytree(finished.path, tmp_path / "run"))
    call = [f"--out={folder.path}", "--resume", "--jobs=1"]
    assert main(call) == 0
    assert "holds a finished search: nothing to resume" in capsys.readouterr().err
    text = folder.config.read_text()
    older = text.replace("reference: mine:task\n", "").replace("format: 1\n", "")
    assert older.count("\n") == text.count("\n") - 2
    folder.config.write_text(older)
    assert main(call) == 2
    assert "does not tell by what --task its task task is named" in capsys.readouterr().err
    assert main([*call, "--task=mine:task"]) == 0
    assert "holds a finished search: nothing to resume" in capsys.readouterr().err
    sys.modules.pop("mine", None)
