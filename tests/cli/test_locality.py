"""The command as a user has it: with the shipped weights, and measurements that nobody made."""

import csv
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from gnn_nas.cli.locality import main
from gnn_nas.experiments import locality as locality_report
from gnn_nas.models.pretrained import SHIPPED

ROOT = Path(__file__).parents[2]
SMALL = ("--pairs", "300", "--per-distance", "4")
PICTURES = {"a-distances.png", "b-differences.png", "c-similarities.png"}
FILES = PICTURES | {name.replace("png", "csv") for name in PICTURES} | {
    "config.yaml", "summary.json"
}  # fmt: skip


@pytest.fixture
def user(monkeypatch, tmp_path, table, made_up_benchmark) -> Path:
    """A user with measurements, in an empty folder of their own."""
    monkeypatch.setenv("GNN_NAS_BENCHMARK", str(made_up_benchmark))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def without_benchmark(user, monkeypatch) -> Path:
    monkeypatch.delenv("GNN_NAS_BENCHMARK")
    monkeypatch.setenv("XDG_DATA_HOME", str(user / "nothing"))
    return user


def summary(folder: Path | str) -> dict:
    return json.loads((Path(folder) / "summary.json").read_text())


def test_help_teaches_parts_examples_and_files(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    for each in ("--parts a c", "none --out", "b-differences.png", "Spearman", *PICTURES):
        assert each in shown


def test_help_comes_before_torch_is_loaded(loaded_by_help):
    assert not loaded_by_help("torch", "scipy", "matplotlib")


@pytest.mark.slow
def test_a_bare_call_makes_every_part_and_a_seed_gives_the_same_files(user, capsys):
    for out in ("one", "other"):
        assert main([*SMALL, "--out", out]) == 0
    assert main([*SMALL, "--seed", "1"]) == 0
    one, other, third = (user / name for name in ("one", "other", "runs/locality"))
    assert {entry.name for entry in one.iterdir()} == FILES
    for name in FILES:
        assert (one / name).read_bytes() == (other / name).read_bytes()
    assert summary(one)["a"] != summary(third)["a"]
    out = capsys.readouterr().out
    for line in ("(a) edit distance of 300 random pairs", "(c) cosine similarity, gin_multisim"):
        assert line in out
    assert "written to runs/locality" in out
    figures = summary(one)
    assert figures["c"]["gin_multisim"]["spearman"] < -0.8
    assert len(figures["b"]["by_distance"]) == 12
    assert len(figures["weights"][0]) == 64


def test_checkpoints_stand_side_by_side_by_what_tells_them_apart(user, tmp_path):
    for folder in ("search-1/controller-0", "search-2/controller-0"):
        (tmp_path / folder).parent.mkdir()
        shutil.copytree(SHIPPED, tmp_path / folder)
    folders = ("search-1/controller-0", "search-2/controller-0")
    options = ("--checkpoint", *folders, "--checkpoint", "none", "--parts", "c", *SMALL)
    assert main(options) == 0
    names = [*folders, "from scratch"]
    figures = summary("runs/locality")
    assert figures["checkpoints"] == list(figures["c"]) == names
    assert figures["c"][names[0]] == figures["c"][names[1]] != figures["c"][names[2]]
    assert figures["weights"][2] is None
    with Path("runs/locality/c-similarities.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == 48
    assert list(lines[0]) == ["edit_distance", "first", "second", *names]


@pytest.mark.slow
def test_parts_are_the_same_alone_and_together(user):
    assert main([*SMALL, "--out", "all"]) == 0
    for part in "abc":
        assert main([*SMALL, "--parts", part, "--out", part]) == 0
        assert summary(part)[part] == summary("all")[part]
        assert not summary(part).keys() & set("abc") - {part}
        assert {name[0] for name in os.listdir(part) if name[1] == "-"} == {part}


def test_without_measurements_part_b_is_refused_and_the_others_are_made(
    without_benchmark, complaint
):
    line = complaint(*SMALL)
    assert "gnn-nas import" in line
    assert "--benchmark PATH" in line
    assert "--parts a c" in line
    assert os.listdir(without_benchmark) == []
    assert main([*SMALL, "--parts", "c", "a"]) == 0
    assert summary("runs/locality")["parts"] == ["a", "c"]
    assert summary("runs/locality")["benchmark"] is None


def test_every_mistake_is_one_line_before_work_starts(user, complaint):
    shutil.copytree(SHIPPED, "narrow")
    config = Path("narrow/config.yaml")
    config.write_text(re.sub(r"hidden: \d+", "hidden: 8", config.read_text(), count=1))
    before = sorted(os.listdir())
    for options, message in (
        (["--pairs", "0"], "--pairs must be from 1 to 1000000, not 0"),
        (["--pairs", "10000000000"], "--pairs must be from 1 to 1000000, not 10000000000"),
        (["--per-distance", "0"], "--per-distance must be from 1 to 100000, not 0"),
        (["--seed", "-1"], "--seed must be from 0 to"),
        (["--checkpoint", "absent"], "absent: no such run folder"),
        (["--checkpoint", "narrow"], "holds another architecture than the config"),
        (["--checkpoint", "narrow", "./narrow"], "narrow twice"),
        (["--checkpoint", "none", "--checkpoint", "none"], "--checkpoint has from scratch twice"),
        (["--benchmark", "absent"], "absent: cannot read"),
    ):
        assert message in complaint(*options)
    assert sorted(os.listdir()) == before


def test_a_folder_of_something_else_is_refused(user, complaint):
    assert main([*SMALL, "--parts", "a"]) == 0
    assert "parts was ['a'], now ['b']" in complaint(*SMALL, "--parts", "b")
    Path("notes").mkdir()
    Path("notes/todo").touch()
    assert "holds files that no run wrote" in complaint(*SMALL, "--parts", "a", "--out", "notes")


def test_a_full_disk_is_one_line_and_no_summary(user, complaint, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(locality_report, "write_text", full)
    assert "cannot write runs/locality: No space left" in complaint(*SMALL, "--parts", "a")
    assert not Path("runs/locality/summary.json").exists()


def test_distances_are_those_that_cells_of_the_space_have(user, capsys):
    call = ["--space=nasbench201", "--parts", "a", "c", *SMALL]
    assert main(call) == 0
    figures = summary("runs/locality")
    assert [row["distance"] for row in figures["a"]["ratios"]][-1] == "6"
    rows = figures["c"]["nasbench201"]["by_distance"]
    assert [(row["distance"], row["pairs"]) for row in rows] == [(at, 4) for at in range(1, 7)]
    assert rows[0]["mean"] > rows[5]["mean"] + 0.2
    out = capsys.readouterr().out
    assert "(a) edit distance of 300 random pairs, mean 4." in out
    assert "paper" not in out


def test_the_real_measurements(benchmark_path, monkeypatch, tmp_path):
    """Near cells perform alike, weakly: the paper's Fig. 1b."""
    monkeypatch.chdir(tmp_path)
    assert main(["--parts", "b", "--benchmark", str(benchmark_path)]) == 0
    figures = summary("runs/locality")["b"]
    assert figures["spearman"] == pytest.approx(0.278, abs=0.03)
    assert figures["spearman_random_pairs"] == pytest.approx(0.106, abs=0.03)
    medians = [row["median"] for row in figures["by_distance"]]
    assert [row["pairs"] for row in figures["by_distance"]] == [1000] * 12
    assert medians[0] < 0.9 < 1.2 < medians[3] < medians[11]


def test_the_launcher_starts_the_command():
    launcher = ROOT / "bin" / "locality"
    assert os.access(launcher, os.X_OK)
    assert '_launch" -m gnn_nas locality "$@"' in launcher.read_text()
