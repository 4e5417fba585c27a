"""Labels of cells, from measurements or a table of one's own."""

import numpy as np
import pytest
import torch

from gnn_nas.benchmarks.labels import check_labels, open_labels
from gnn_nas.benchmarks.nasbench201 import NASBench201
from gnn_nas.errors import UserError
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import load_table, open_table
from gnn_nas.spaces.text import to_texts
from tests.helpers.measurements import nasbench201_arrays

CHAIN = CellSpace.wired("chain", ("a", "b", "c"), (0.0, 1.0, 2.0), [(i, i + 1) for i in range(6)])
LARGE = CellSpace("large-toy", ("a", "b", "c"), (0.0, 1.0, 2.0), max_vertices=8, max_edges=10)


@pytest.fixture
def own(tmp_path):
    """Gives the path of a table of ``count`` cells of the chain, the last 20 unknown."""

    def call(count: int):
        ops = [ops for ops, _ in to_texts(load_table(CHAIN).cells[:count])]
        known = [str(number / 8) if number < count - 20 else "" for number in range(count)]
        lines = [",".join(pair) for pair in zip(ops, known, strict=True)]
        (tmp_path / "results.csv").write_text("\n".join(["ops,acc", *lines, ""]))
        return tmp_path / "results.csv"

    return call


def test_cells_of_a_table_come_with_their_rewards_and_without_what_failed(own):
    labels = open_labels(own(230), CHAIN)
    table = load_table(CHAIN)
    assert table.rows_of(labels.cells).tolist() == list(range(210))
    assert labels.rewards.tolist() == [number / 8 for number in range(210)]


def test_too_few_are_one_line(own):
    with pytest.raises(
        UserError, match=r"results.csv has 199 cells with rewards.*takes 200 at lea"
    ):
        open_labels(own(219), CHAIN)
    assert len(open_labels(own(220), CHAIN).rewards) == 200


def test_a_benchmark_has_its_mean_test_accuracies(tmp_path):
    path = tmp_path / "201.npz"
    np.savez(path, **nasbench201_arrays())
    labels = open_labels(path, NASBENCH201)
    table = open_table(NASBENCH201)
    wanted = NASBench201.open(path, table, "cifar10").mean_test(torch.arange(len(table)))
    assert torch.equal(labels.rewards, wanted)
    assert table.rows_of(labels.cells).tolist() == list(range(len(table)))


def test_cells_of_a_space_without_a_table_are_labelled_too(tmp_path):
    from gnn_nas.spaces.registry import CellRegistry

    registry = CellRegistry(LARGE)
    rows = registry.draw(200, torch.Generator().manual_seed(0))
    texts = to_texts(registry.cells.take(rows))
    lines = [f"{o},{e},{i}" for i, (o, e) in enumerate(texts)]
    (tmp_path / "t.csv").write_text("\n".join(["ops,edges,reward", *lines]))
    labels = open_labels(tmp_path / "t.csv", LARGE)
    assert registry.rows_of(labels.cells).tolist() == rows.tolist()
    assert labels.rewards.tolist() == list(range(200))


def test_measurements_of_another_space_are_refused_before_they_are_read(tmp_path, own):
    np.savez(tmp_path / "201.npz", **nasbench201_arrays())
    message = "201.npz has measurements of nasbench201, and the cells are those of nasbench101"
    with pytest.raises(UserError, match=message):
        check_labels(tmp_path / "201.npz", NASBENCH101)
    with pytest.raises(UserError, match="has no column edges, in which cells of nasbench101 diff"):
        check_labels(own(30), NASBENCH101)
