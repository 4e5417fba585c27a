"""The space of NAS-Bench-201, and its cells as they are published."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.spaces.nasbench201 import EDGES, NASBENCH201, from_text, to_text
from gnn_nas.spaces.table import load_table

TEXT = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|"


@pytest.fixture(scope="module")
def cells():
    return load_table(NASBENCH201)


def test_it_has_15625_cells_of_eight_vertices_and_ten_edges(cells):
    assert len(cells) == 15_625
    assert (NASBENCH201.max_vertices, NASBENCH201.max_edges) == (8, 10)
    assert len(cells.module_hash.unique(dim=0)) == 15_625
    assert EDGES == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    rows = torch.arange(len(cells))
    assert cells.rows_of(cells.cells).equal(rows)
    assert cells.row_of_hash(cells.hash_of(4711)) == 4711


def test_an_op_feeds_those_of_the_edges_that_leave_its_node():
    adjacency = from_text(TEXT).adjacency()[0]
    ends = [(-1, 0), *EDGES, (3, 4)]
    for x, y in product(range(8), repeat=2):
        assert adjacency[x, y] == (ends[x][1] == ends[y][0])


def test_the_official_text_is_read_and_written():
    cell = from_text(TEXT)
    assert cell.ops.tolist() == [[3, 0, 1, 4, 2, 3]]
    assert to_text(cell) == TEXT


@given(st.lists(st.sampled_from(NASBENCH201.ops), min_size=6, max_size=6))
def test_every_text_comes_back(ops):
    a, b, c, d, e, f = ops
    text = f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"
    assert to_text(from_text(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no cell of nasbench201"),
        (TEXT[:-1], "no cell of nasbench201"),
        (TEXT.replace("~2", "~1"), "no cell of nasbench201"),
        (TEXT.replace("none", "zero"), "unknown op 'zero'; known are none, skip_connect"),
        (f"{TEXT}+|none~0|", "no cell of nasbench201"),
    ],
)
def test_what_is_no_cell_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        from_text(text)
