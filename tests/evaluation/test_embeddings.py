import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge
from torch import Tensor

from gnn_nas.evaluation import embeddings as module
from gnn_nas.evaluation.embeddings import (
    count_distinct,
    distinct_embeddings,
    linear_r2,
    locality,
    retrieval,
)
from gnn_nas.spaces.checker import networkx_distance
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.table import CellTable


def naive_retrieval(embeddings: Tensor, labels: Tensor) -> tuple[float, float]:
    """Precision@1 and MAP@R by sorting all others for every query."""
    firsts, maps = [], []
    for query in range(len(labels)):
        others = [other for other in range(len(labels)) if other != query]
        others.sort(key=lambda other: (embeddings[query] - embeddings[other]).norm().item())
        hits = [bool(labels[other] == labels[query]) for other in others]
        group = sum(hits)
        firsts.append(hits[0])
        maps.append(sum(sum(hits[: i + 1]) / (i + 1) for i in range(group) if hits[i]) / group)
    return sum(firsts) / len(firsts), sum(maps) / len(maps)


@settings(max_examples=20)
@given(
    groups=st.integers(2, 8),
    size=st.integers(2, 5),
    spread=st.sampled_from([0.1, 0.5, 2.0]),
    seed=st.integers(0, 1000),
)
def test_equals_sorting_all_others(groups, size, spread, seed):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(groups, 3, generator=generator)
    labels = torch.arange(groups).repeat_interleave(size)
    labels = labels[torch.randperm(len(labels), generator=generator)]
    noise = torch.randn(len(labels), 3, generator=generator)
    embeddings = torch.nn.functional.normalize(centres[labels] + spread * noise, dim=1)
    first, mean = naive_retrieval(embeddings, labels)
    figures = retrieval(embeddings, labels)
    assert figures.keys() == {"precision_at_1", "map_at_r"}
    assert figures["precision_at_1"] == pytest.approx(first)
    assert figures["map_at_r"] == pytest.approx(mean)


def test_tight_groups_are_found_and_scattered_ones_are_not():
    labels = torch.arange(5).repeat_interleave(3)
    corners = torch.eye(5)[labels]
    found = retrieval(corners + 0.01 * torch.rand(15, 5), labels)
    assert found == {"precision_at_1": 1.0, "map_at_r": 1.0}
    # Each group's members stand at three far corners, beside those of the other groups.
    scattered = torch.eye(3)[torch.arange(3).repeat(5)] + 0.01 * torch.rand(15, 3)
    assert retrieval(scattered, labels) == {"precision_at_1": 0.0, "map_at_r": 0.0}


def test_more_queries_than_are_searched_at_a_time():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(600).repeat_interleave(2)
    embeddings = torch.randn(600, 3, generator=generator)[labels]
    embeddings += 0.05 * torch.randn(1200, 3, generator=generator)
    embeddings = torch.nn.functional.normalize(embeddings, dim=1)
    first, mean = naive_retrieval_by_matrix(embeddings, labels)
    figures = retrieval(embeddings, labels)
    assert 0.1 < first < 0.9
    assert figures["precision_at_1"] == pytest.approx(first, abs=2e-3)
    assert figures["map_at_r"] == pytest.approx(mean, abs=2e-3)


def naive_retrieval_by_matrix(embeddings: Tensor, labels: Tensor) -> tuple[float, float]:
    """For groups of two, where R is 1 and both figures are the same."""
    distances = (embeddings[:, None] - embeddings).norm(dim=2).fill_diagonal_(float("inf"))
    share = (labels[distances.argmin(1)] == labels).float().mean().item()
    return share, share


@pytest.fixture
def rows(table):
    anchors = (table.cells.vertices > 2).nonzero().flatten()
    picked = torch.randperm(len(anchors), generator=torch.Generator().manual_seed(0))[:60]
    return anchors[picked]


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(2)


@pytest.fixture
def pairs(monkeypatch):
    """The pairs that were measured: cells, cells, distances."""
    seen = []

    def recording(first, second):
        seen.append((first, second, edit_distance(first, second)))
        return seen[-1][2]

    monkeypatch.setattr(module, "edit_distance", recording)
    return seen


def test_equals_scipy_on_pairs_taken_one_by_one(table, controller, rows, pairs):
    figures = locality(controller, table, rows, generator())
    ((first, second, distances),) = pairs
    assert len(first) == 180
    cosines = []
    with torch.no_grad():
        for i in range(len(first)):
            one = controller.encode(first[i : i + 1].to_batch())[0].double()
            other = controller.encode(second[i : i + 1].to_batch())[0].double()
            cosines.append(1 - (one @ other).item())
    expected = spearmanr(distances.tolist(), cosines).statistic
    assert figures["edit_distance_spearman"] == pytest.approx(expected, abs=2e-3)
    assert locality(controller, table, rows, generator()) == figures


def test_near_farther_and_far_pairs_are_measured(table, controller, rows, pairs):
    locality(controller, table, rows, generator())
    ((first, second, distances),) = pairs
    near, farther, far = distances.split(60)
    assert 1 <= near.min() <= near.max() <= 3
    assert 3 < farther.max() <= 6
    assert far.float().mean() > 7
    for i in (0, 1, 2, 60, 61, 62):
        one, other = (part[i : i + 1].to_batch()[0] for part in (first, second))
        assert networkx_distance(one, other, upper_bound=6) == distances[i]
    assert torch.equal(table.rows_of(first), rows.repeat(3))


def test_an_encoder_of_edit_distance_itself_scores_one(table, controller, rows, monkeypatch):
    """Cosine distances that rise with the distances, whatever the cells."""
    monkeypatch.setattr(module, "edit_distance", lambda first, second: torch.arange(180) // 20)
    angles = torch.arange(180) // 20 * 0.1

    def encode_rows(table, asked):
        encode_rows.calls += 1
        if encode_rows.calls % 2:
            return torch.tensor([[1.0, 0.0]]).expand(180, 2)
        return torch.stack([angles.cos(), angles.sin()], dim=1)

    encode_rows.calls = 0
    monkeypatch.setattr(controller, "encode_rows", encode_rows)
    figures = locality(controller, table, rows, generator())
    assert figures == {"edit_distance_spearman": pytest.approx(1.0)}


def test_cells_of_three_vertices_lead_nowhere_wrong(table, controller, pairs):
    """Their positives include the one cell that has none itself, which is not led on from."""
    chains = (table.cells.vertices == 3).nonzero().flatten()
    for seed in range(20):
        locality(controller, table, chains, torch.Generator().manual_seed(seed))
    near = torch.cat([second[: len(chains)].vertices for _, second, _ in pairs])
    onward = torch.cat([distance[len(chains) : 2 * len(chains)] for *_, distance in pairs])
    from_chain = onward[near == 2]
    assert len(from_chain) > 0
    assert ((from_chain >= 1) & (from_chain <= 3)).all()


@pytest.fixture(scope="module")
def thinned(table) -> CellTable:
    """An eighth of the space, in double precision the work of seconds; all its small cells."""
    rows = torch.arange(len(table))
    rows = rows[(rows % 8 == 0) | (table.cells.vertices <= 4)]
    return CellTable(
        table.cells[rows], table.module_hash[rows], table.row_of_form, table.first_form
    )


def naive_count(points: torch.Tensor, tolerance: float) -> int:
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
    assert (
        count_distinct(points, 0.08)
        == naive_count(points, 0.08)
        == len({(x, y) for x, y, _ in drawn})
    )
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
    assert count_distinct(points, 0.21) == naive_count(points, 0.21) == 216
    assert count_distinct(points, 0.19) == 432


@pytest.mark.slow
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


@pytest.mark.slow
def test_an_encoder_that_sees_ops_only_tells_few_cells_apart(thinned, controller):
    """Without edges there are the multisets of at most five ops: 1 + 3 + 6 + 10 + 15 + 21."""
    for conv in controller.encoder.convs:
        _own, *neighbours = conv.mlp[0].weight.data.chunk(3, dim=1)
        for weight in neighbours:
            weight.zero_()
    assert distinct_embeddings(controller, thinned) == 56


def test_what_is_linear_in_embeddings_is_told():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(400, 5, generator=generator)
    noise = torch.randn(400, generator=generator)
    linear = points @ torch.randn(5, generator=generator)
    values = torch.stack([3 + linear, linear + linear.std() * noise, noise, torch.ones(400)], dim=1)
    shares = linear_r2(points[:300], values[:300], points[300:], values[300:])
    expected = []
    for column in values.T[:3]:
        regression = Ridge(alpha=1e-3).fit(points[:300], column[:300])
        expected.append(regression.score(points[300:], column[300:]))
    assert shares[:3].tolist() == pytest.approx(expected, abs=1e-4)
    assert shares[0] > 0.999
    assert 0.3 < shares[1] < 0.7
    assert shares[2] < 0.1
    # What does not vary cannot be told.
    assert shares[3].isnan()
