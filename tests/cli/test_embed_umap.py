"""The command as a user has it, over the real space and the shipped weights."""

import csv
import json
import os
import re
import shutil
import time
from pathlib import Path

import pytest

from gnn_nas.cli import embed_umap
from gnn_nas.cli.embed_umap import main
from gnn_nas.config import WEIGHTS
from gnn_nas.models.pretrained import SHIPPED
from tests.helpers.tellers import saved_teller

FILES = ["config.yaml", "summary.json", "umap.csv", "umap.png", "umap.svg"]


@pytest.fixture
def user(monkeypatch, tmp_path, table) -> Path:
    """A user without measurements in an empty folder of their own."""
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path.parent / "no data"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(folder: Path) -> tuple[list[dict[str, str]], dict]:
    assert sorted(os.listdir(folder)) == FILES
    with (folder / "umap.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    return lines, json.loads((folder / "summary.json").read_text())


def test_help_teaches_figures_colours_examples_and_files(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    for each in ("trustworthiness", "embed-umap --cells --color accuracy", "umap.csv", "Fig. 2"):
        assert each in shown


def test_help_comes_at_once(loaded_by_help):
    started = time.perf_counter()
    assert not loaded_by_help("torch", "umap", "matplotlib", "numpy")
    assert time.perf_counter() - started < 5  # 0.2 s where nothing else runs


@pytest.mark.slow
def test_the_page_lies_beside_the_picture(user, capsys):
    assert main(["--cells=40", "--html", "--out=run"]) == 0
    assert "page to explore: run/umap.html\n" in capsys.readouterr().out
    assert sorted(os.listdir("run")) == sorted([*FILES, "umap.html"])
    page = Path("run", "umap.html").read_text(encoding="utf-8")
    assert "40 random cells. UMAP of the embeddings of gin_multisim." in page


@pytest.mark.slow
def test_classes_of_two_checkpoints_are_drawn_side_by_side(user, capsys):
    assert main(["--checkpoint", str(SHIPPED), "none"]) == 0
    out, err = capsys.readouterr()
    lines, summary = read(user / "runs" / "umap-gin_multisim-from-scratch")
    assert out.splitlines()[0].split() == ["gin_multisim", "from", "scratch"]
    assert "on 100 other draws" in out
    assert "colours: class; written to runs/umap-gin_multisim-from-scratch" in out
    assert "3/3" in err
    ours, scratch = summary["maps"]
    assert ours["silhouette"] > scratch["silhouette"] + 0.2
    assert ours["precision_at_1"] > scratch["precision_at_1"] + 0.2
    assert ours["other_draws"]["silhouette"]["mean"] == pytest.approx(0.32, abs=0.02)
    assert [line["row"] for line in lines[:128]] == [line["row"] for line in lines[128:]]
    assert sum(line["anchor"] == "1" for line in lines) == 32


@pytest.mark.slow
def test_the_same_call_gives_the_same_files_and_another_seed_others(user, monkeypatch):
    monkeypatch.setattr(embed_umap, "_OTHER_DRAWS", 5)
    call = ["--anchors", "4", "--positives", "8", "--out"]
    assert main([*call, "a"]) == 0
    lines, _ = read(user / "a")
    first = {name: (user / "a" / name).read_bytes() for name in FILES}
    assert main([*call, "a"]) == 0
    assert {name: (user / "a" / name).read_bytes() for name in FILES} == first
    assert main([*call, "b", "--seed", "1"]) == 0
    assert read(user / "b")[0] != lines


@pytest.mark.slow
def test_a_name_is_shown_as_it_is(user, capsys):
    name = r"[bold]$\frac$ <b>, 100 %"
    shutil.copytree(SHIPPED, user / name)
    assert main(["--cells=40", "--out=run", "--checkpoint", name]) == 0
    out = capsys.readouterr().out
    lines, summary = read(user / "run")
    shown = {out.splitlines()[0].strip(), lines[0]["checkpoint"], summary["maps"][0]["name"]}
    assert shown == {name}


@pytest.mark.slow
def test_random_cells_are_coloured_by_edges_where_nothing_is_measured(user, capsys):
    assert main(["--cells", "60"]) == 0
    out, err = capsys.readouterr()
    lines, summary = read(user / "runs" / "umap-cells")
    assert "no measurements of NAS-Bench-101 are here" in err
    assert "colours show the number of edges" in err
    assert "colours: edges" in out
    assert summary["color"] == "edges"
    assert "neighbour_agreement" in summary["maps"][0]
    assert {(line["class"], line["accuracy"]) for line in lines} == {("", "")}


@pytest.mark.slow
def test_random_cells_are_coloured_by_accuracy_where_it_is_measured(
    user, benchmark, benchmark_path, capsys
):
    assert main(["--cells", "300", "--benchmark", str(benchmark_path)]) == 0
    out, err = capsys.readouterr()
    lines, summary = read(user / "runs" / "umap-cells")
    assert "colours: accuracy" in out
    assert "no measurements" not in err
    rows = benchmark.all_rows()[[int(line["row"]) for line in lines]]
    accuracies = [float(line["accuracy"]) for line in lines]
    assert accuracies == pytest.approx((100 * benchmark.mean_test(rows)).tolist(), abs=1e-4)
    assert summary["maps"][0]["neighbour_agreement"] > 0.3


@pytest.mark.slow
def test_colours_show_what_the_first_controller_tells_that_does(user, capsys):
    teller = str(saved_teller(user / "teller", "snip", "synflow"))
    options = ["--color=synflow", "--cells=60", "--html", "--out=run"]
    assert main(["--checkpoint", "none", teller, *options]) == 0
    assert "colours: synflow as teller tells it; written to run" in capsys.readouterr().out
    page = Path("run", "umap.html")
    text = page.read_text(encoding="utf-8")
    assert '"colour": "synflow", "colours": ["edges", "vertices", "snip", "synflow"]' in text
    page.unlink()
    _, summary = read(Path("run"))
    assert summary["color"] == "synflow"
    assert [each["name"] for each in summary["maps"]] == ["from scratch", "teller"]


def test_statistics_that_no_controller_tells_are_refused(user, complaint):
    silent, teller = saved_teller(user / "silent"), saved_teller(user / "teller", "snip", "synflow")
    assert complaint("--checkpoint", silent, "--color=snip") == (
        "error: --color snip: silent tells no statistics: pretrain with function in the config,"
        " statistics: [snip]"
    )
    assert complaint("--checkpoint", silent, teller, "--color=readout") == (
        "error: --color readout: teller tells snip, synflow"
    )
    assert sorted(os.listdir(user)) == ["silent", "teller"]


def test_an_unknown_colour_is_answered_with_those_there_are(user, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--color=depth"])
    assert stop.value.code == 2
    refusal = capsys.readouterr().err.splitlines()[-1]
    assert "invalid choice: 'depth' (choose from " in refusal
    assert {"accuracy", "edges", "feature_norm", "readout"} <= set(re.findall(r"\w+", refusal))


def test_every_mistake_is_one_line_before_any_work(user, complaint):
    for options, message in (
        (["--anchors", "1"], "--anchors must be from 2 to 99, not 1"),
        (["--positives", "0"], "--positives must be from 1 to 100, not 0"),
        (["--anchors", "4"], "--anchors 4 with --positives 7 are 32 cells: a map needs at least"),
        (["--cells", "32"], "--cells must be from 33 to 100000, not 32"),
        (["--cells", "50", "--anchors", "9"], "--anchors has no meaning there"),
        (["--cells", "--color", "class"], "have no class: give another --color"),
        (["--seed", "-1"], "--seed must be from 0 to 4294967295, not -1"),
        (["--checkpoint", "absent"], "absent: no such run folder"),
        (["--color", "accuracy"], "no measurements of NAS-Bench-101 are here"),
        (["--cells", "--color", "accuracy"], "no measurements of NAS-Bench-101 are here"),
        (["--benchmark", "absent"], "absent: cannot read"),
    ):
        assert message in complaint(*options)
    assert os.listdir(user) == []


@pytest.mark.slow
def test_a_folder_of_another_map_or_of_something_else_is_refused(user, complaint):
    assert main(["--cells", "50", "--out", "a"]) == 0
    assert "cells was 50, now 60" in complaint("--cells", "60", "--out", "a")
    (user / "b").mkdir()
    (user / "b" / "mine").touch()
    assert "b holds files that no run wrote" in complaint("--cells", "50", "--out", "b")


@pytest.mark.slow
def test_a_map_is_of_the_space_of_the_checkpoint(user, capsys):
    assert main(["--checkpoint", str(WEIGHTS / "nasbench201"), "--cells=40", "--out=a"]) == 0
    assert "colours show the parameters of the operations" in capsys.readouterr().err
    lines, summary = read(user / "a")
    assert (summary["space"], summary["color"]) == ("nasbench201", "parameters")
    assert {(line["edges"], line["vertices"]) for line in lines} == {("10", "8")}
    # The same cells and the same controller by the name of the space.
    assert main(["--space=nasbench201", "--cells=40", "--html", "--out=b"]) == 0
    page = (user / "b" / "umap.html").read_text(encoding="utf-8")
    assert "Cells of NAS-Bench-201" in page
    (user / "b" / "umap.html").unlink()
    assert read(user / "b")[0] == lines


@pytest.mark.slow
def test_a_space_without_a_table_is_shown_by_cells_that_are_drawn(user):
    (user / "own.yaml").write_text(
        "name: own\nops: {a: null, b: null, c: null}\nmax_vertices: 9\nmax_edges: 12\n"
    )
    for options in (["--cells=50"], ["--anchors=4", "--positives=8"]):
        out = f"run{len(options)}"
        assert main(["--space=own.yaml", "--checkpoint=none", *options, "--out", out]) == 0
        lines, summary = read(user / out)
        assert summary["space"]["name"] == "own"
        assert len({line["module_hash"] for line in lines}) == len(lines) > 30


def test_mistakes_about_spaces_are_one_line(user, complaint):
    Path("own.yaml").write_text("name: own\nops: {a: null}\nmax_vertices: 4\nmax_edges: 6\n")
    other = str(WEIGHTS / "nasbench201")
    for options, message in (
        (
            ["--space=nasbench201", "--color=edges"],
            "cells of nasbench201 are coloured by parameters",
        ),
        (["--color=parameters"], "cells of nasbench101 are coloured by edges or vertices"),
        (["--space=absent"], "absent: neither a file nor a space of gnn_nas"),
        (["--space=nasbench101", "--checkpoint", other], "was pretrained on nasbench201, and this"),
        (["--checkpoint", other, str(SHIPPED)], "was pretrained on nasbench101, and this is about"),
        (["--space=own.yaml"], "no controller of own comes with gnn_nas"),
        (["--space=nasbench201", "--color=accuracy"], "no measurements of nasbench201 are here"),
        (["--dataset=cifar10"], "no measurements of NAS-Bench-101 are here"),
    ):
        assert message in complaint(*options)
    assert "own has 13 cells: a map needs at least 33" in complaint(
        "--space=own.yaml", "--checkpoint=none", "--cells"
    )
    assert os.listdir(user) == ["own.yaml"]
