"""Measurements of NAS-Bench-Graph: made up, and those of the package where it is installed."""

import importlib.util
import pickle
from pathlib import Path

import pytest
import torch

from gnn_nas.benchmarks import DATASETS, GRAPH
from gnn_nas.benchmarks.locate import (
    benchmark_path,
    benchmark_space,
    find_any_benchmark,
    find_benchmark,
)
from gnn_nas.benchmarks.nasbench_graph import NASBenchGraph
from gnn_nas.benchmarks.protocols import objective_and_report
from gnn_nas.errors import UserError
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH
from gnn_nas.spaces.table import CellTable, load_table
from tests.helpers.measurements import graph_keys, write_graph_benchmark

NAMES = DATASETS["nasbench_graph"]


@pytest.fixture(scope="module")
def cells() -> CellTable:
    return load_table(NASBENCH_GRAPH)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, cells) -> Path:
    return write_graph_benchmark(tmp_path_factory.mktemp("data") / "light", cells, NAMES[::8])


def test_figures_are_those_of_the_cell_of_the_key(folder, cells):
    benchmark = NASBenchGraph.open(folder, cells)
    found = pickle.loads((folder / "cora.bench").read_bytes())
    rows = torch.tensor([0, 7, 4711, 26_205])
    keys = graph_keys(cells)
    wanted = [found[keys[row]] for row in rows.tolist()]
    for name, figures in (
        ("valid_perf", benchmark.validation(rows)),
        ("perf", benchmark.mean_test(rows)),
        ("latency", benchmark.latency(rows)),
        ("para", benchmark.parameters(rows)),
    ):
        assert figures.tolist() == [float(each[name]) for each in wanted]
    assert benchmark.seconds(rows).isnan().all()
    tests = benchmark.mean_test(benchmark.all_rows())
    assert benchmark.best_test == tests.max()
    assert benchmark.rank(rows).tolist() == [1 + int((tests > tests[row]).sum()) for row in rows]
    assert "NAS-Bench-Graph, cora, 26206 cells" in benchmark.identity
    assert benchmark.allowed is None


def test_what_was_not_measured_is_not_allowed(folder, cells):
    benchmark = NASBenchGraph.open(folder, cells, "proteins")
    odd = torch.tensor([key % 2 == 1 for key in graph_keys(cells)])
    assert benchmark.allowed.equal(odd)
    assert len(benchmark) == odd.sum() < len(cells)
    tests = benchmark.mean_test(benchmark.all_rows())
    assert tests.isnan().equal(~odd)
    best = int(tests.nan_to_num(nan=0).argmax())
    assert benchmark.best_test == tests[best]
    assert benchmark.rank(torch.tensor([best])).tolist() == [1]


def test_a_search_sees_what_its_protocol_says(folder, cells):
    benchmark = NASBenchGraph.open(folder, cells)
    rows = torch.tensor([3, 5])
    for protocol, seen in (("oracle", benchmark.mean_test), ("validation", benchmark.validation)):
        objective, report = objective_and_report(benchmark, protocol)
        assert [each.reward for each in objective.evaluate(rows)] == seen(rows).tolist()
        assert report.report(rows)[:, 0].equal(benchmark.mean_test(rows))
    with pytest.raises(UserError, match=r"protocol single-trial: .*cora.bench has means over"):
        objective_and_report(benchmark, "single-trial")


def test_a_folder_tells_of_which_space_it_is(folder, tmp_path, table):
    assert benchmark_space(folder) == "nasbench_graph"
    assert benchmark_space(tmp_path) == "nasbench101"
    assert find_any_benchmark(folder, dataset="proteins").dataset == "proteins"
    with pytest.raises(UserError, match=r"light has measurements of nasbench_graph, not of nasb"):
        find_benchmark(folder, table)


def test_a_package_that_is_missing_is_one_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"data are not here: .*pip install nas-bench-graph==1.4.0"):
        benchmark_path(GRAPH)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.clear(), "its keys are no cells'"),
        (lambda it: it.update({"text": it[next(iter(it))]}), "TypeError"),
        (lambda it: it.update({90_000: it[next(iter(it))]}), "its keys are no cells'"),
        (lambda it: it.update({True: it[next(iter(it))]}), "its keys are no cells'"),
        (lambda it: it.update({9: it[next(iter(it))]}), "a key has an op that there is not"),
        (lambda it: it.update({88_888: it[next(iter(it))]}), "a key is no cell's"),
        (lambda it: it.update({10: it[next(iter(it))]}), "or a cell is there twice"),
        (lambda it: next(iter(it.values())).pop("perf"), "KeyError: 'perf'"),
        (lambda it: next(iter(it.values())).update(perf=1.5), "its perf goes from .* to 1.5"),
        (lambda it: next(iter(it.values())).update(perf=float("nan")), "its perf goes from"),
        (lambda it: next(iter(it.values())).update(para=-1.0), "its para goes from -1"),
        (lambda it: next(iter(it.values())).update(perf="text"), "ValueError|TypeError"),
        (lambda it: it.update(more=print), "it has more than plain values: builtins.print"),
    ],
)
def test_a_damaged_file_is_one_line(folder, tmp_path, cells, change, message):
    found = pickle.loads((folder / "cora.bench").read_bytes())
    change(found)
    (tmp_path / "cora.bench").write_bytes(pickle.dumps(found, 3))
    with pytest.raises(UserError, match=rf"cora.bench is damaged or no NAS-.*{message}") as raised:
        NASBenchGraph.open(tmp_path, cells)
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith("install nas-bench-graph 1.4.0 anew")


def test_a_cut_or_missing_file_is_one_line(folder, tmp_path, cells):
    content = (folder / "cora.bench").read_bytes()
    (tmp_path / "cora.bench").write_bytes(content[:-100])
    with pytest.raises(UserError, match=r"cora.bench is damaged or no NAS-Bench-Graph data"):
        NASBenchGraph.open(tmp_path, cells)
    with pytest.raises(UserError, match=r"arxiv.bench is damaged or .*No such file"):
        NASBenchGraph.open(tmp_path, cells, "arxiv")


@pytest.mark.slow
def test_the_package_s_have_the_published_optima(cells):
    if importlib.util.find_spec("nas_bench_graph") is None:
        pytest.skip("nas-bench-graph is not installed")
    best = dict(zip(NAMES, (8313, 7157, 7860, 9126, 9300, 9279, 8558, 7239, 7926), strict=True))
    chosen = dict(zip(NAMES, (8263, 7103, 7560, 9059, 9135, 9208, 8203, 7195, 7611), strict=True))
    for name in NAMES:
        benchmark = NASBenchGraph.open(benchmark_path(GRAPH), cells, name)
        assert len(benchmark) == (2_021 if name == "proteins" else 26_206)
        assert benchmark.best_test == pytest.approx(best[name] / 10**4, abs=6e-5)
        seen = benchmark.validation(benchmark.all_rows()).nan_to_num(nan=0)
        reported = benchmark.mean_test(seen.argmax()[None]).item()
        assert reported == pytest.approx(chosen[name] / 10**4, abs=6e-5)
