from itertools import permutations, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn_nas.spaces.enumeration import (
    distinct_cells,
    enumerate_forms,
    enumerate_matrices,
    isomorphism_hash,
)
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells


@pytest.fixture(scope="module")
def classes(forms):
    return distinct_cells(forms, 2)


def naive_forms(vertices: int) -> list[tuple[int, tuple[int, ...]]]:
    """Edge bitmasks and labellings in the official order, by plain loops."""
    found = []
    for mask in range(1 << (vertices * (vertices - 1) // 2)):
        edges = {
            (x, y) for y in range(vertices) for x in range(y) if mask >> (x + y * (y - 1) // 2) & 1
        }
        sources, targets = {x for x, _ in edges}, {y for _, y in edges}
        connected = sources == set(range(vertices - 1)) and targets == set(range(1, vertices))
        if connected and len(edges) <= 9:
            found += [(mask, ops) for ops in product(range(3), repeat=vertices - 2)]
    return found


def test_counts_of_the_space(forms, classes):
    _, vertices = enumerate_matrices(NASBENCH101)
    first, class_of_form = classes
    counts = [
        np.bincount(v, minlength=8)[2:].tolist()
        for v in (vertices, forms.vertices.numpy(), forms.vertices.numpy()[first])
    ]
    assert counts == [
        [1, 2, 10, 121, 1_545, 4_793],
        [1, 6, 90, 3_267, 125_145, 1_164_699],
        [1, 6, 84, 2_441, 62_010, 359_082],
    ]
    assert (len(vertices), len(forms), len(first)) == (6_472, 1_293_208, 423_624)
    assert len(class_of_form) == len(forms)


@pytest.mark.slow
def test_order_is_the_official_one(forms):
    expected = [form for vertices in range(2, 6) for form in naive_forms(vertices)]
    assert len(expected) == 3_364
    columns = (forms.vertices.tolist(), forms.edges.tolist(), forms.ops.tolist())
    enumerated = [
        (edges, tuple(ops[: vertices - 2]))
        for vertices, edges, ops, _ in zip(*columns, expected, strict=False)
    ]
    assert enumerated == expected
    # The rest follows in the same order.
    assert (np.diff(forms.edges.numpy()) >= 0).all()
    assert (np.diff(forms.vertices.numpy()) >= 0).all()


def test_ops_no_vertex_has_are_zero(forms):
    assert int((forms.ops * ~forms.has_interior()).sum()) == 0


def test_representative_is_the_first_form_seen(classes):
    first, class_of_form = classes
    seen = {}
    for form, number in enumerate(class_of_form.tolist()):
        seen.setdefault(number, form)
    assert list(seen) == list(range(len(first)))
    assert list(seen.values()) == first.tolist()


def test_forms_of_few_matrices():
    """A chain of three vertices and one of four: 3 + 9 labellings."""
    masks = np.array([0b101, 0b100101], dtype=np.int32)
    forms = enumerate_forms(masks, np.array([3, 4], dtype=np.int8), NASBENCH101)
    assert forms.vertices.tolist() == [3] * 3 + [4] * 9
    assert forms.ops[:, 0].tolist() == [0, 1, 2, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert forms.ops[:, 1].tolist() == [0, 0, 0] + [0, 1, 2] * 3


def normal_form(labels: list[int], edges: set[tuple[int, int]]):
    """The least of all ways to write the cell down: equal exactly for isomorphic cells."""
    last = len(labels) - 1
    return (
        min(
            (
                tuple(labels[v] for v in order),
                tuple(sorted((order.index(x), order.index(y)) for x, y in edges)),
            )
            for order in ((0, *inner, last) for inner in permutations(range(1, last)))
        )
        if last
        else None
    )


@pytest.mark.slow
def test_all_cells_of_the_space_differ(table):
    assert len(isomorphism_hash(table.cells, 2).unique()) == 423_624


def test_equal_exactly_for_isomorphic_cells(forms, plain):
    """Against brute force over all vertex orders, for all forms of at most five vertices."""
    forms = forms[:3_364]
    by_hash, by_form = {}, {}
    for hashed, cell in zip(isomorphism_hash(forms, 2).tolist(), plain(forms), strict=True):
        by_hash.setdefault(hashed, normal_form(*cell))
        by_form.setdefault(normal_form(*cell), hashed)
        assert by_hash[hashed] == normal_form(*cell)
        assert by_form[normal_form(*cell)] == hashed
    assert len(by_hash) == len(by_form) == 1 + 6 + 84 + 2_441


@settings(derandomize=True)
@given(st.integers(0, 423_623), st.randoms(use_true_random=False))
def test_does_not_depend_on_the_vertex_order(table, plain, row, random):
    (labels, edges), last = plain(table.cells[[row]])[0], int(table.cells.vertices[row]) - 1
    order = [0]
    while len(order) < last:
        # Any vertex whose predecessors are all placed may come next.
        ready = [
            v
            for v in range(1, last)
            if v not in order and all(x in order for x, y in edges if y == v)
        ]
        order.append(random.choice(ready))
    order.append(last)
    moved = [sorted((order.index(x), order.index(y))) for x, y in edges]
    ops = [labels[v] - 1 for v in order[1:-1]]
    cell = PackedCells(
        torch.tensor([last + 1]),
        torch.tensor([sum(1 << (x + y * (y - 1) // 2) for x, y in moved)]),
        torch.tensor([ops + [0] * (5 - len(ops))]),
    )
    assert isomorphism_hash(cell, 2).equal(isomorphism_hash(table.cells[[row]], 2))
    assert table.rows_of(cell).tolist() == [row]
