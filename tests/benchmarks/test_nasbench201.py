"""Measurements of NAS-Bench-201: made up, and the real ones where they are."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from gnn_nas.benchmarks.locate import benchmark_space, find_any_benchmark, find_benchmark
from gnn_nas.benchmarks.nasbench201 import NASBench201
from gnn_nas.benchmarks.protocols import objective_and_report
from gnn_nas.errors import UserError
from gnn_nas.spaces.nasbench201 import NASBENCH201, to_text
from gnn_nas.spaces.table import CellTable, load_table
from tests.helpers.measurements import nasbench201_arrays


@pytest.fixture(scope="module")
def cells() -> CellTable:
    return load_table(NASBENCH201)


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    return nasbench201_arrays()


@pytest.fixture
def path(tmp_path, arrays) -> Path:
    np.savez(tmp_path / "data.npz", **arrays)
    return tmp_path / "data.npz"


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_figures_are_those_of_the_cell_whatever_the_files_order(path, arrays, cells, dataset):
    benchmark = NASBench201.open(path, cells, dataset)
    number = {tuple(ops): i for i, ops in enumerate(arrays["ops"].tolist())}
    rows = torch.tensor([0, 7, 4711, 15_624])
    for row, test, validation, seconds in zip(
        rows.tolist(),
        benchmark.mean_test(rows).tolist(),
        benchmark.validation(rows).tolist(),
        benchmark.seconds(rows).tolist(),
        strict=True,
    ):
        at = number[tuple(cells.cells.ops[row].tolist())]
        assert test == pytest.approx(arrays[f"{dataset}_test200"][at] / 100)
        assert validation == pytest.approx(arrays[f"{dataset}_val200"][at] / 100)
        assert seconds == arrays[f"{dataset}_seconds200"][at]
    tests = benchmark.mean_test(benchmark.all_rows())
    assert benchmark.best_test == tests.max()
    assert benchmark.rank(rows).tolist() == [1 + int((tests > tests[row]).sum()) for row in rows]
    assert dataset in benchmark.identity


def test_a_search_sees_what_its_protocol_says(path, cells):
    benchmark = NASBench201.open(path, cells)
    rows = torch.tensor([3, 5])
    for protocol, seen in (("oracle", benchmark.mean_test), ("validation", benchmark.validation)):
        objective, report = objective_and_report(benchmark, protocol)
        assert [each.reward for each in objective.evaluate(rows)] == seen(rows).tolist()
        assert report.report(rows)[:, 0].equal(benchmark.mean_test(rows))
    with pytest.raises(UserError, match=r"protocol single-trial: .*data.npz has means over"):
        objective_and_report(benchmark, "single-trial")


def test_a_file_tells_of_which_space_it_is(path, made_up_benchmark, table):
    assert benchmark_space(path) == "nasbench201"
    assert benchmark_space(made_up_benchmark) == "nasbench101"
    assert find_any_benchmark(path, dataset="cifar100").dataset == "cifar100"
    with pytest.raises(UserError, match=r"data.npz has measurements of nasbench201, not of nasb"):
        find_benchmark(path, table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.pop("cifar10_val200"), "KeyError: .*cifar10_val200"),
        (lambda it: it.update(ops=it["ops"][:-1]), r"its ops are uint8 \(15624, 6\)"),
        (lambda it: it["ops"].__setitem__(0, 5), "it has an op 5"),
        (lambda it: it["ops"].__setitem__(0, it["ops"][1]), "it has a cell twice"),
        (lambda it: it.update(cifar10_val200=np.zeros(3, np.float32)), r"val200 is float32 \(3,\)"),
        (lambda it: it["cifar10_test200"].__setitem__(9, np.nan), "test200 are no percentages"),
        (lambda it: it["cifar10_test200"].__setitem__(9, 101), "test200 are no percentages"),
    ],
)
def test_a_damaged_file_is_one_line(tmp_path, arrays, cells, change, message):
    change(arrays)
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(UserError, match=rf"data.npz is damaged or no NAS-Bench-201 .*{message}"):
        NASBench201.open(tmp_path / "data.npz", cells)


def test_a_cut_file_is_one_line(path, cells):
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UserError, match="is damaged or no NAS-Bench-201 data"):
        NASBench201.open(path, cells)


@pytest.mark.parametrize(
    ("dataset", "best", "validation"), [("cifar10", 94.373, 91.607), ("cifar100", 73.513, 73.493)]
)
def test_the_real_ones_have_the_published_optimum(cells, dataset, best, validation):
    real = os.environ.get("GNN_NAS_BENCHMARK_201")
    if not real:
        pytest.skip("GNN_NAS_BENCHMARK_201 does not say where NAS-Bench-201's measurements are")
    benchmark = NASBench201.open(real, cells, dataset)
    tests = benchmark.mean_test(benchmark.all_rows())
    assert 100 * benchmark.best_test == pytest.approx(best, abs=6e-4)
    seen = benchmark.validation(benchmark.all_rows())
    assert 100 * seen.max().item() == pytest.approx(validation, abs=6e-4)
    row = int(seen.argmax())
    assert tests[row] == tests.max()
    if dataset == "cifar10":
        text = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|"
        text += "+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
        assert to_text(cells.cells[row : row + 1]) == text
