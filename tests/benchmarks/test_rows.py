from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.benchmarks.rows import CellRows
from gnn_nas.spaces.conversion import from_spec, to_matrix
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.pruning import prune

OPS = NASBENCH101.ops


@pytest.fixture(scope="module")
def cell_rows(table) -> CellRows:
    return CellRows(table)


def specs_of(cells) -> list[SimpleNamespace]:
    pairs = (to_matrix(cell) for cell in cells.to_batch().to_data_list())
    return [SimpleNamespace(matrix=matrix, ops=ops) for matrix, ops in pairs]


def long_way(table, spec) -> int | str:
    try:
        return table.index_of(from_spec(spec)).item()
    except ValueError as error:
        return str(error)


def short_way(cell_rows, spec) -> int | str:
    try:
        return cell_rows.of_spec(spec)
    except ValueError as error:
        return str(error)


@pytest.mark.slow
def test_specs_pruned_or_not_find_the_row_of_the_long_way(cell_rows, table, unpruned):
    expected = [long_way(table, spec) for spec in specs_of(unpruned)]
    assert [short_way(cell_rows, spec) for spec in specs_of(unpruned)] == expected
    found = [row for row in expected if isinstance(row, int)]
    assert 500 < len(found) < 1400
    kept, _ = prune(unpruned)
    assert int((kept.vertices != unpruned.vertices).sum()) > 400


def test_valid_specs_do_not_take_the_long_way(cell_rows, table, unpruned, monkeypatch):
    _, valid = prune(unpruned)
    specs = specs_of(unpruned[valid][:300])
    expected = [long_way(table, spec) for spec in specs]
    monkeypatch.setattr(type(table), "index_of", None)
    assert [cell_rows.of_spec(spec) for spec in specs] == expected


def test_every_kind_of_matrix_is_read(cell_rows, table):
    matrix, ops = to_matrix(table.cells[:1].to_batch()[0])
    for same in (matrix.tolist(), matrix.astype(bool), matrix.astype(float), tuple(matrix)):
        for names in (ops, tuple(ops), np.array(ops)):
            assert cell_rows.of_spec(SimpleNamespace(matrix=same, ops=names)) == 0


names = st.sampled_from([*OPS, "input", "output", "conv5x5", None, 3])
entries = st.sampled_from([0, 0, 0, 1, 1, 2, -1, 0.5, True, float("nan"), None, "1"])


@given(
    matrix=st.integers(0, 9).flatmap(
        lambda size: st.lists(
            st.lists(entries, min_size=size, max_size=size), min_size=size, max_size=size
        )
    ),
    ops=st.lists(names, max_size=9),
)
def test_a_strange_spec_is_refused_in_the_words_of_the_long_way(cell_rows, table, matrix, ops):
    spec = SimpleNamespace(matrix=matrix, ops=ops)
    try:
        expected = long_way(table, spec)
    except Exception as error:
        with pytest.raises(type(error)):
            cell_rows.of_spec(spec)
    else:
        assert short_way(cell_rows, spec) == expected


@given(data=st.data())
def test_a_spec_with_one_thing_wrong_is_refused_in_the_words_of_the_long_way(
    cell_rows, table, data
):
    row = data.draw(st.integers(0, len(table) - 1))
    matrix, ops = to_matrix(table.cells[torch.tensor([row])].to_batch()[0])
    size = len(ops)
    what = data.draw(st.sampled_from(["entry", "op", "vertex", "edges", "none"]))
    if what == "entry":
        x, y = data.draw(st.tuples(*2 * [st.integers(0, size - 1)]))
        matrix[x, y] = data.draw(st.sampled_from([-1, 0, 1, 2]))
    elif what == "op":
        ops[data.draw(st.integers(0, size - 1))] = data.draw(names)
    elif what == "vertex":
        ops.insert(1, OPS[0])
        matrix = np.pad(matrix, data.draw(st.sampled_from([0, (0, 1), (1, 0)])))
    elif what == "edges":
        matrix = np.triu(np.ones_like(matrix), 1)
    else:
        matrix, ops = data.draw(st.sampled_from([(None, ops), (matrix, None), (matrix[0], ops)]))
    spec = SimpleNamespace(matrix=matrix, ops=ops)
    assert short_way(cell_rows, spec) == long_way(table, spec)


def test_cells_in_any_form_give_the_same_rows(cell_rows, table, unpruned):
    pruned, valid = prune(unpruned)
    cells, expected = unpruned[valid], table.rows_of(pruned[valid])
    batch = cells.to_batch()
    hashes = [table.hash_of(row) for row in expected.tolist()]
    specs = specs_of(cells)
    for form in (batch, hashes, specs, tuple(specs), expected, expected.int()):
        found = cell_rows.of(form)
        assert found.dtype == torch.int64
        assert found.equal(expected)
    for form in (batch[0], hashes[0], specs[0]):
        assert cell_rows.of(form).tolist() == expected[:1].tolist()
    assert cell_rows.of([hashes[0], specs[1]]).equal(expected[:2])
    assert cell_rows.of([]).tolist() == []


def test_what_is_no_cell_is_refused(cell_rows, table, unpruned):
    _, valid = prune(unpruned)
    batch = unpruned[~valid][:2].to_batch()
    with pytest.raises(ValueError, match=r"not valid cells of the space: .* \[0, 1\]"):
        cell_rows.of(batch)
    known = table.hash_of(9)
    for unknown in ("0" * 32, "f" * 32, "", known[:-1], known + "0", "é" * 16):
        with pytest.raises(KeyError, match=f"module hash '{unknown}'"):
            cell_rows.of([known, unknown])
    for row in (-1, len(table)):
        with pytest.raises(IndexError, match=f"row {row} is none of 423624 cells"):
            cell_rows.of(torch.tensor([0, row]))
    for rows in (
        torch.tensor(1),
        torch.tensor([True]),
        torch.tensor([1.0]),
        torch.zeros(1, 1).int(),
    ):
        with pytest.raises(ValueError, match="rows must be integers of one dimension"):
            cell_rows.of(rows)


def test_a_cell_outside_a_smaller_space_is_refused(small_table, table):
    large = (table.cells.vertices == 7).nonzero().flatten()[:1]
    small_rows = CellRows(small_table)
    with pytest.raises(ValueError, match="not valid"):
        small_rows.of(table.cells[large].to_batch())
    with pytest.raises(ValueError, match="not valid"):
        small_rows.of(specs_of(table.cells[large]))
