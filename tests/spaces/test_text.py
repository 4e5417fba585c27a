"""Cells as people write them in a table."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn_nas.errors import UserError
from gnn_nas.spaces.conversion import from_matrix
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201, from_text
from gnn_nas.spaces.packed import pack
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import load_table
from gnn_nas.spaces.text import cell_of, packed, read_ops, to_texts
from tests.helpers.spaces import spaces

FREE = CellSpace("free", ("a", "b"), (0.0, 1.0), max_vertices=4, max_edges=4)


def read(ops, edges="", space=FREE):
    return cell_of(read_ops(ops, space), edges, space)


@settings(deadline=None, max_examples=20)
@given(spaces(), st.integers(0, 2**31))
def test_every_cell_of_any_space_is_read_back(space, seed):
    try:
        table = load_table(space)
    except UserError:
        return
    rows = torch.randperm(len(table), generator=torch.Generator().manual_seed(seed))[:200]
    texts = to_texts(table.cells[rows])
    cells = packed([read(ops, edges, space) for ops, edges in texts], space)
    assert cells.edges.equal(table.cells.edges[rows])
    assert table.rows_of(cells).equal(rows)


@settings(deadline=None)
@given(st.data())
def test_a_cell_is_pruned_as_of_its_matrix(data):
    count = data.draw(st.integers(2, 9))
    slots = [(x, y) for y in range(count) for x in range(y)]
    edges = data.draw(st.lists(st.sampled_from(slots), unique=True, max_size=16))
    ops = data.draw(
        st.lists(st.sampled_from(NASBENCH101.ops), min_size=count - 2, max_size=count - 2)
    )
    matrix = torch.zeros(count, count, dtype=torch.long)
    for x, y in edges:
        matrix[x, y] = 1
    written = " ".join(f"{x}>{y}" for x, y in edges)
    try:
        expected = pack(from_matrix(matrix, ["input", *ops, "output"]), NASBENCH101)
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error)):
            read(" ".join(ops), written, NASBENCH101)
        return
    cells = packed([read(" ".join(ops), written, NASBENCH101)], NASBENCH101)
    for name in ("vertices", "edges", "ops"):
        assert getattr(cells, name).equal(getattr(expected, name))


def test_where_ops_stand_on_edges_the_published_text_will_do():
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"
    cell = packed([read(text, space=NASBENCH201)], NASBENCH201)
    assert cell.ops.equal(from_text(text).ops)
    assert to_texts(cell) == [
        ("nor_conv_3x3 none skip_connect none none avg_pool_3x3", ""),
    ]
    three = CellSpace.on_edges("three", ("x", "y"), (0.0, 1.0), nodes=3)
    assert read("|x~0|+|y~0|x~1|", space=three).ops == [0, 1, 0]
    with pytest.raises(ValueError, match="no cell of three"):
        read("|x~0|+|y~0|x~1|+|x~0|x~1|x~2|", space=three)


@pytest.mark.parametrize(
    ("ops", "edges", "message"),
    [
        ("a c", "0>1 1>2 2>3", "unknown op 'c'; known are a, b"),
        ("a", "0>1 1>2 0-2", "'0-2' is no edge: write them as 0>1 1>2"),
        ("a", "0>1 1>3", "the edge 1>3 has no end: the output is vertex 2"),
        ("a", "0>1 2>1", "the edge 2>1 does not lead from a lower vertex to a higher one"),
        ("a", "0>1 1>2 0>1", "the edge 0>1 is there twice"),
        ("a", "0>1", "no path leads from the input to the output"),
        ("", "", "no path leads from the input to the output"),
        ("a a a", "0>1 1>2 2>3 3>4", "a cell has 2 to 4 vertices, got 5 after pruning"),
        ("a b", "0>1 1>2 2>3 0>2 1>3", "a cell has at most 4 edges, this one 5 after pruning"),
    ],
)
def test_what_is_no_cell_is_said(ops, edges, message):
    with pytest.raises(ValueError, match=message):
        read(ops, edges)


def test_a_fixed_wiring_needs_all_its_ops():
    chain = CellSpace.wired("chain", ("a", "b"), (0.0, 1.0), [(0, 1), (1, 2), (2, 3)])
    assert read("b a", space=chain).ops == [1, 0]
    with pytest.raises(ValueError, match="1 ops, but a cell has 2"):
        read("b", space=chain)
