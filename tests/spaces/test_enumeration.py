from itertools import product

import numpy as np
import pytest

from gnn_nas.spaces.enumeration import distinct_cells, enumerate_forms, enumerate_matrices


@pytest.fixture(scope="module")
def classes(forms):
    return distinct_cells(forms)


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
    _, vertices = enumerate_matrices()
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
    forms = enumerate_forms(masks, np.array([3, 4], dtype=np.int8))
    assert forms.vertices.tolist() == [3] * 3 + [4] * 9
    assert forms.ops[:, 0].tolist() == [0, 1, 2, 0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert forms.ops[:, 1].tolist() == [0, 0, 0] + [0, 1, 2] * 3
