from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gnn_nas.spaces.enumeration import enumerate_forms, enumerate_matrices
from gnn_nas.spaces.forms import count_forms, draw_forms
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.space import CellSpace

LARGE = CellSpace("large", tuple("abcde"), (1.0,) * 5, max_vertices=8, max_edges=12)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_forms_are_as_many_as_published():
    assert count_forms(NASBENCH101) == 1_293_208
    assert count_forms(NASBENCH201) == 15_625
    assert count_forms(LARGE) > 10**10


@given(
    ops=st.integers(1, 3), vertices=st.integers(3, 6), edges=st.integers(2, 15), seed=st.integers(0)
)
def test_forms_are_as_many_as_are_enumerated(ops, vertices, edges, seed):
    space = CellSpace("drawn", tuple("abc"[:ops]), (1.0,) * ops, vertices, edges)
    masks, sizes = enumerate_matrices(space)
    assert count_forms(space) == sum(ops ** (int(size) - 2) for size in sizes)
    drawn = draw_forms(space, 50, generator(seed % 2**32))
    assert set(zip(drawn.edges.tolist(), drawn.vertices.tolist(), strict=True)) <= set(
        zip(masks.tolist(), sizes.tolist(), strict=True)
    )
    assert bool(((drawn.ops >= 0) & (drawn.ops < ops)).all())
    assert not drawn.ops[~drawn.has_interior()].any()


def test_all_forms_are_equally_likely():
    space = CellSpace("small", ("a", "b"), (1.0, 0.0), max_vertices=5, max_edges=6)
    forms = enumerate_forms(*enumerate_matrices(space), space)
    draws = 60 * len(forms)
    drawn = draw_forms(space, draws, generator())

    def names(cells) -> list[tuple]:
        return list(zip(cells.edges.tolist(), map(tuple, cells.ops.tolist()), strict=True))

    counted = Counter(names(drawn))
    assert counted.keys() == set(names(forms))
    # Chi-squared with as many degrees of freedom, in standard deviations from its mean.
    chi = sum((count - 60) ** 2 / 60 for count in counted.values())
    assert abs(chi - len(forms)) < 4 * np.sqrt(2 * len(forms))


def test_a_chain_is_drawn_where_edges_allow_nothing_else():
    space = CellSpace("chains", ("a",), (1.0,), max_vertices=5, max_edges=4)
    chain = sum(1 << (y - 1 + y * (y - 1) // 2) for y in range(1, 5))
    drawn = draw_forms(space, 2000, generator())
    longest = drawn.edges[drawn.vertices == 5]
    assert len(longest)
    assert bool((longest == chain).all())


def test_draws_follow_from_the_generator():
    first, second, other = (draw_forms(LARGE, 100, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.edges, second.edges)
    assert torch.equal(first.ops, second.ops)
    assert not torch.equal(first.edges, other.edges)


@pytest.mark.parametrize(
    "space", [NASBENCH201, CellSpace.wired("w", ("a", "b"), (1.0, 1.0), [(0, 1), (1, 2)])]
)
def test_forms_of_a_fixed_wiring_differ_in_ops_alone(space):
    drawn = draw_forms(space, 500, generator())
    assert set(drawn.edges.tolist()) == {space.mask}
    assert drawn.ops.unique().tolist() == list(range(len(space.ops)))
