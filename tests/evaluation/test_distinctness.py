import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn_nas.evaluation import distinctness as module
from gnn_nas.evaluation.distinctness import count_distinct, distinct_embeddings
from gnn_nas.spaces.table import CellTable


@pytest.fixture(scope="module")
def thinned(table) -> CellTable:
    """An eighth of the space, in double precision the work of seconds; all its small cells."""
    rows = torch.arange(len(table))
    rows = rows[(rows % 8 == 0) | (table.cells.vertices <= 4)]
    return CellTable(
        table.cells[rows], table.module_hash[rows], table.row_of_form, table.first_form
    )


def naive(points: torch.Tensor, tolerance: float) -> int:
    """Groups of points linked by steps of at most the tolerance, each counted once."""
    group = list(range(len(points)))
    for i, one in enumerate(points.tolist()):
        for j, other in enumerate(points.tolist()[:i]):
            if math.dist(one, other) <= tolerance:
                old, new = group[i], group[j]
                group = [new if g == old else g for g in group]
    return len(set(group))


@settings(max_examples=60)
@given(
    # Multiples of 1 with small offsets: near copies within 0.06 of each other, all else beyond.
    st.lists(
        st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.sampled_from([-0.02, 0.0, 0.03])),
        max_size=30,
    )
)
def test_equals_comparing_all_pairs(drawn):
    points = torch.tensor([[x + e, y - e, 0.5] for x, y, e in drawn], dtype=torch.float64)
    points = points.reshape(-1, 3)
    assert count_distinct(points, 0.08) == naive(points, 0.08) == len({(x, y) for x, y, _ in drawn})
    assert count_distinct(points, 0.0) == len(set(drawn))


@pytest.mark.parametrize("dimension", [2, 32])
def test_one_near_pair_among_many_points_is_found(dimension):
    generator = torch.Generator().manual_seed(dimension)
    points = torch.randn(20_000, dimension, generator=generator, dtype=torch.float64)
    points = torch.nn.functional.normalize(points, dim=1)
    own = count_distinct(points, 1e-9)
    assert own == 20_000
    points[7] = points[19_000]
    points[7, 0] += 0.9e-6
    assert count_distinct(points, 1e-6) == count_distinct(points[8:], 1e-6) + 7
    points[7, 0] += 0.2e-6
    assert count_distinct(points[[7, 19_000]], 1e-6) == 2


def test_points_that_differ_in_one_coordinate_only_are_told_apart():
    for coordinate in range(4):
        points = torch.zeros(500, 4, dtype=torch.float64)
        points[:, coordinate] = torch.arange(500)
        assert count_distinct(points, 0.5) == 500


def test_a_collapsed_encoder_is_counted_in_no_time_and_no_memory():
    """All pairs of these would be 90 thousand millions."""
    points = torch.zeros(423_624, 8, dtype=torch.float64)
    assert count_distinct(points, 1e-6) == 1
    points[:1000, 0] = torch.arange(1000)
    assert count_distinct(points, 1e-6) == 1000


def test_near_points_are_found_past_others_that_lie_between_them_on_the_line():
    lattice = torch.cartesian_prod(*[torch.arange(6).double()] * 3)
    generator = torch.Generator().manual_seed(0)
    steps = torch.randn(216, 3, generator=generator, dtype=torch.float64)
    points = torch.cat([lattice, lattice + 0.2 * steps / steps.norm(dim=1, keepdim=True)])
    assert count_distinct(points, 0.21) == naive(points, 0.21) == 216
    assert count_distinct(points, 0.19) == 432


def test_all_cells_are_encoded_in_double_precision_and_the_encoder_is_left_as_it_was(
    thinned, controller, monkeypatch
):
    measured = []
    monkeypatch.setattr(module, "count_distinct", lambda *given: measured.append(given) or 5)
    before = {name: value.clone() for name, value in controller.state_dict().items()}
    assert distinct_embeddings(controller, thinned) == 5
    for name, value in controller.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, before[name])

    ((points, tolerance),) = measured
    assert tolerance == 1e-6
    assert points.shape == (len(thinned), 6)
    rows = torch.randint(len(thinned), (100,), generator=torch.Generator().manual_seed(0))
    expected = controller.double().encode_rows(thinned, rows)
    torch.testing.assert_close(points[rows], expected, rtol=0, atol=1e-12)


def test_an_encoder_that_sees_ops_only_tells_few_cells_apart(thinned, controller):
    """Without edges there are the multisets of at most five ops: 1 + 3 + 6 + 10 + 15 + 21."""
    for conv in controller.encoder.convs:
        _own, *neighbours = conv.mlp[0].weight.data.chunk(3, dim=1)
        for weight in neighbours:
            weight.zero_()
    assert distinct_embeddings(controller, thinned) == 56
