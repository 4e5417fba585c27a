"""Searches in NAS-Bench-Graph's measurements, as a user has them."""

import csv
import importlib.util
import re
from pathlib import Path

import pytest

from gnn_nas.benchmarks import DATASETS
from gnn_nas.benchmarks.nasbench_graph import NASBenchGraph
from gnn_nas.cli.main import main as gnn_nas
from gnn_nas.cli.search import main
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH
from gnn_nas.spaces.table import load_table
from tests.helpers.measurements import write_graph_benchmark

NAMES = DATASETS["nasbench_graph"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "light"
    return write_graph_benchmark(folder, load_table(NASBENCH_GRAPH), NAMES[::8])


def without_package(monkeypatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if "nas_bench" in name else found(name)
    )


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)


def test_the_measurements_decide_space_and_controller(measured, capsys):
    call = [f"--benchmark={measured}", "--queries=24", "--jobs=1", "--protocol=validation"]
    assert main(call) == 0
    folder = RunFolder("runs/search-nao-validation-cora")
    assert re.search(r"^(\w+~[0-3] ?){4}$", capsys.readouterr().out, re.MULTILINE)
    assert folder.load_summary()["per_seed"][0]["queries"] == 24
    assert "space: nasbench_graph" in folder.controller(0).config.read_text()
    assert folder.best_cell.exists()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["nao", "random", "evolution", "local", "predictor"])
def test_of_a_part_of_the_space_nothing_else_is_asked_for(measured, method):
    call = [f"--benchmark={measured}", f"--method={method}", "--dataset=proteins", "--jobs=1"]
    assert main([*call, "--queries=60", "--out=run"]) == 0
    benchmark = NASBenchGraph.open(measured, dataset="proteins")
    lines = csv.DictReader(RunFolder("run").history(0).read_text().splitlines())
    rows = [benchmark.table.row_of_hash(line["hash"]) for line in lines]
    assert len(rows) == 60
    assert bool(benchmark.allowed[rows].all())


def test_mistakes_are_one_line(measured, complaint, monkeypatch):
    of_graph = f"--benchmark={measured}"
    wrong = complaint(of_graph, "--protocol=single-trial")
    assert "of nasbench_graph means are known only" in wrong
    wrong = complaint(of_graph, "--dataset=cifar10")
    assert wrong.endswith("cifar10 is of NAS-Bench-201, give its .npz file by --benchmark PATH")
    wrong = complaint("--dataset=cora")
    assert wrong.endswith("cora is of NAS-Bench-Graph, --benchmark nasbench-graph")
    assert "arxiv.bench is damaged or no" in complaint(of_graph, "--dataset=arxiv")
    without_package(monkeypatch)
    wrong = complaint("--benchmark=nasbench-graph", "--dataset=cora")
    assert re.search(r"NAS-Bench-Graph's data are not here: .*pip install nas-bench-graph", wrong)


def test_spaces_say_where_the_package_is(monkeypatch, capsys):
    without_package(monkeypatch)
    assert gnn_nas(["spaces"]) == 0
    assert "pip install nas-bench-graph==1.4.0" in capsys.readouterr().out
