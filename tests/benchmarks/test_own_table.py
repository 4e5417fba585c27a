"""A table of results of one's own."""

import csv
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn_nas.benchmarks.columns import read_columns
from gnn_nas.benchmarks.locate import is_own_table
from gnn_nas.benchmarks.own_table import OwnTable
from gnn_nas.errors import UserError
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import load_table
from gnn_nas.spaces.text import to_texts
from tests.helpers.measurements import nasbench201_arrays
from tests.helpers.spaces import spaces

SPACE = CellSpace("mine", ("a", "b"), (0.0, 1.0), max_vertices=4, max_edges=4)
CHAIN = CellSpace.wired("chain", ("a", "b"), (0.0, 1.0), [(0, 1), (1, 2), (2, 3)])


@pytest.fixture
def open_table(tmp_path):
    """Gives the table of a CSV file's text."""

    def call(text, space=SPACE, reward=None) -> OwnTable:
        path = tmp_path / "results.csv"
        path.write_text(text)
        return OwnTable(load_table(space), read_columns(path), reward)

    return call


@settings(deadline=None, max_examples=20)
@given(spaces(), st.integers(0, 2**31), st.booleans())
def test_what_is_written_of_a_space_is_read_back(tmp_path_factory, space, seed, as_arrays):
    try:
        table = load_table(space)
    except UserError:
        return
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(table), generator=generator)[: 1 + len(table) // 2]
    values = torch.rand(len(rows), 3, generator=generator).double()
    values[1::3, 0] = math.nan
    ops, edges = zip(*to_texts(table.cells[rows]), strict=True)
    columns = {
        "ops": ops,
        "edges": edges,
        **dict(zip(("acc", "size", "seconds"), values.T.tolist(), strict=True)),
    }
    if space.wiring:
        del columns["edges"]
    path = tmp_path_factory.mktemp("written") / ("t.npz" if as_arrays else "t.csv")
    if as_arrays:
        np.savez(path, **columns)
    else:
        with path.open("w") as stream:
            lines = zip(*columns.values(), strict=True)
            csv.writer(stream).writerows([columns, *lines])
    own = OwnTable(table, read_columns(path), "acc")
    assert own.allowed.nonzero().flatten().equal(rows.sort().values)
    assert len(own) == len(rows)
    assert own.columns == ("size",)
    torch.testing.assert_close(own.rewards(rows), values[:, 0], rtol=0, atol=0, equal_nan=True)
    assert own.reports(rows).equal(values[:, 1:2])
    objective, _ = own.objective_and_report()
    assert [each.seconds for each in objective.evaluate(rows)] == values[:, 2].tolist()
    best = values[:, 0].nan_to_num(nan=-1).max()
    assert own.best == best
    known = values[:, 0][~values[:, 0].isnan()]
    place = int(values[:, 0].nan_to_num(nan=-1).argmin()) if len(known) == len(rows) else 0
    assert own.rank(rows[place : place + 1]) == 1 + int((known > values[place, 0]).sum())


def test_what_a_search_sees_and_what_it_does_not(open_table):
    own = open_table("ops,edges,reward,size\na,0>1 1>2,0.5,7\n,0>1,,\nb,0>1 1>2,-1,9\n")
    rows = own.allowed.nonzero().flatten()
    assert len(rows) == 3
    objective, report = own.objective_and_report()
    assert objective.allowed is own.allowed
    found = {each.reward: each for each in objective.evaluate(rows)}
    assert found.keys() == {0.5, -1.0, None}
    assert found[None].failure == "there is no reward of it"
    assert report.columns == ("size",)
    assert sorted(report.report(rows).flatten().nan_to_num(nan=0).tolist()) == [0, 7, 9]
    # A cell of the space that the table lacks is a failure, whoever asks for it.
    (missing,) = objective.evaluate((~own.allowed).nonzero()[0])
    assert missing.reward is None
    assert own.identity != open_table("ops,edges,reward\na,0>1 1>2,0.5\n").identity


def test_isomorphic_cells_are_one_and_are_pruned_first(open_table):
    own = open_table("ops,edges,reward\na b,0>1 1>3 0>2 2>3,1\na b,0>1 1>3 0>2,2\n")
    assert len(own) == 2
    message = r"results.csv: line 3, column ops: the cell of line 2 again, or one isomorphic"
    with pytest.raises(UserError, match=message):
        open_table("ops,edges,reward\na b,0>1 1>3 0>2 2>3,1\nb a,0>1 1>3 0>2 2>3,2\n")
    with pytest.raises(UserError, match=r"line 4, column ops: the cell of line 3 again"):
        open_table("ops,edges,reward\nb,0>1 1>2,1\na,0>1 1>2,1\nb a,0>2 2>3,2\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ops,edges,reward\nc,0>1 1>2,1\n", r"line 2, column ops: unknown op 'c'; known are a, b"),
        ("ops,edges,reward\na,0>1 1>2,1\nb,0>1,1\n", "line 3, column edges: no path leads"),
        (
            "ops,edges,reward\na b,0>1 1>2 2>3 0>2 1>3,1\n",
            "line 2, column edges: a cell has at most 4 edges, this one 5 after pruning",
        ),
        ("edges,reward\n0>1,1\n", "has no column ops"),
        ("cell,ops,edges,reward\na,a,0>1 1>2,1\n", "has both columns, cell and ops"),
        ("ops,reward\na,1\n", "has no column edges, in which cells of mine differ"),
        ("ops,edges\na,0>1 1>2\n", "which column are the rewards\\? no column has numbers"),
        (
            "ops,edges,acc,size\na,0>1 1>2,1,2\n",
            "which column are the rewards\\? acc, size have numbers: call one reward, or name",
        ),
        ("ops,edges,reward\na,0>1 1>2,good\n", "line 2, column reward: 'good' is no finite number"),
        ("ops,edges,reward\na,0>1 1>2,\n", "column reward has no reward at all"),
        ("ops,edges,reward,round\na,0>1 1>2,1,2\n", "history has a column round of its own"),
    ],
)
def test_what_is_wrong_is_one_line_with_file_line_and_column(open_table, text, message):
    with pytest.raises(UserError, match=f"results.csv.*{message}"):
        open_table(text)


def test_the_column_of_rewards_is_said_or_found(open_table):
    text = "ops,acc,size,note,seconds\na b,1,2,x,3\nb a,3,,x,4\n"
    assert open_table(text, CHAIN, "size").columns == ("acc",)
    assert open_table(text, CHAIN, "acc").best == 3
    assert open_table("ops,acc,note,seconds\na b,1,x,3\n", CHAIN).reward == "acc"
    assert open_table("ops,acc,reward\na b,1,3\n", CHAIN).reward == "reward"
    with pytest.raises(UserError, match="has no column f1 of rewards; of numbers are acc, size"):
        open_table(text, CHAIN, "f1")
    with pytest.raises(UserError, match="has no column ops of rewards"):
        open_table(text, CHAIN, "ops")
    with pytest.raises(UserError, match="has a column edges, but all cells of chain have the same"):
        open_table("ops,edges,acc\na b,0>1 1>2 2>3,1\n", CHAIN)
    with pytest.raises(UserError, match="line 3, column ops: 1 ops, but a cell has 2"):
        open_table("ops,acc\na b,1\na,2\n", CHAIN)


def test_a_file_tells_whether_it_is_one(tmp_path, made_up_benchmark):
    np.savez(tmp_path / "own.npz", ops=np.array(["a"]))
    np.savez(tmp_path / "201.npz", **nasbench201_arrays())
    (tmp_path / "cut.npz").write_bytes((tmp_path / "own.npz").read_bytes()[:-20])
    assert is_own_table(tmp_path / "own.npz")
    assert is_own_table(tmp_path / "own.csv")
    for other in ("201.npz", "cut.npz", "x.safetensors"):
        assert not is_own_table(tmp_path / other)
    assert not is_own_table(made_up_benchmark)
    assert not is_own_table(made_up_benchmark / "nasbench101_108epochs.npz")
