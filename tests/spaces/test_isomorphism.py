from itertools import permutations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn_nas.spaces.isomorphism import isomorphism_hash
from gnn_nas.spaces.packed import PackedCells


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


def test_all_cells_of_the_space_differ(table):
    assert len(isomorphism_hash(table.cells).unique()) == 423_624


def test_equal_exactly_for_isomorphic_cells(forms, plain):
    """Against brute force over all vertex orders, for all forms of at most five vertices."""
    forms = forms[:3_364]
    by_hash, by_form = {}, {}
    for hashed, cell in zip(isomorphism_hash(forms).tolist(), plain(forms), strict=True):
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
    assert isomorphism_hash(cell).equal(isomorphism_hash(table.cells[[row]]))
    assert table.rows_of(cell).tolist() == [row]
