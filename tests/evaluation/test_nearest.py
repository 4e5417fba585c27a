import math
import warnings

import numpy as np
import pytest
import sklearn.manifold
import torch

from gnn_nas.evaluation import nearest
from gnn_nas.evaluation.nearest import (
    class_silhouette,
    distances_to_others,
    nearest_neighbours,
    neighbour_agreement,
    trustworthiness,
)


def naive(points, count):
    """By sorting the distances to all other points."""
    found = []
    for at, point in enumerate(points):
        others = [other for other in range(len(points)) if other != at]
        apart = {other: (point - points[other]).double().norm().item() for other in others}
        found.append(sorted(others, key=apart.get)[:count])
    return found


@pytest.mark.parametrize("block", [1, 7, 30, 64])
def test_equals_sorting_all_others_whatever_the_block(monkeypatch, block):
    monkeypatch.setattr(nearest, "_BLOCK", block)
    points = torch.randn(30, 4, generator=torch.Generator().manual_seed(block))
    indices, distances = nearest_neighbours(points, 5)
    assert indices.tolist() == naive(points, 5)
    assert distances == pytest.approx((points[:, None] - points[indices]).norm(dim=2))


def test_points_that_differ_in_the_last_digits_keep_their_distances():
    points = torch.tensor([[1.0, 0.0], [1.0, 1e-5], [1.0, 3e-5], [0.0, 1.0]])
    indices, distances = nearest_neighbours(points, 2)
    assert indices[:3].tolist() == [[1, 2], [0, 2], [1, 0]]
    assert distances[0].tolist() == pytest.approx([1e-5, 3e-5])


def test_the_same_point_twice_is_its_own_neighbour_only_as_another():
    points = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    indices, distances = nearest_neighbours(points, 1)
    assert indices[:2, 0].tolist() == [1, 0]
    assert distances[:2, 0].tolist() == [0, 0]


def test_blocks_cover_every_row_once(monkeypatch):
    monkeypatch.setattr(nearest, "_BLOCK", 4)
    points = torch.randn(10, 2)
    blocks = list(distances_to_others(points))
    assert [row for rows, _ in blocks for row in range(10)[rows]] == list(range(10))
    whole = torch.cat([distances for _, distances in blocks])
    assert whole.diagonal().isinf().all()
    assert whole.fill_diagonal_(0) == pytest.approx((points[:, None] - points).norm(dim=2))


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("neighbours", [1, 5, 10])
def test_trustworthiness_equals_scikit_learns(monkeypatch, neighbours):
    monkeypatch.setattr(nearest, "_BLOCK", 64)
    embeddings = torch.nn.functional.normalize(normal(150, 6), dim=1)
    for coordinates in (embeddings[:, :2], normal(150, 2, seed=1)):
        theirs = sklearn.manifold.trustworthiness(
            embeddings.double().numpy(), coordinates.double().numpy(), n_neighbors=neighbours
        )
        ours = trustworthiness(embeddings, coordinates.contiguous(), neighbours)
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_trustworthiness_is_1_of_the_truth_and_one_half_of_a_random_map():
    embeddings = normal(2000, 2)
    assert trustworthiness(embeddings, embeddings) == 1
    assert trustworthiness(embeddings, normal(2000, 2, seed=1)) == pytest.approx(0.5, abs=0.02)


def test_as_many_neighbours_as_half_the_points_are_refused():
    with pytest.raises(ValueError, match="10 neighbours must be fewer than half of 20 points"):
        trustworthiness(normal(20, 3), normal(20, 2))


def test_silhouette_equals_its_definition():
    embeddings, labels = normal(24, 3), torch.arange(4).repeat_interleave(6)
    apart = (embeddings[:, None] - embeddings).double().norm(dim=2)
    silhouettes = []
    for at, own in enumerate(labels):
        means = {
            label: apart[at, labels == label].sum().item() / (6 - (label == own.item()))
            for label in range(4)
        }
        inside = means.pop(own.item())
        next_class = min(means.values())
        silhouettes.append((next_class - inside) / max(inside, next_class))
    mean = sum(silhouettes) / len(silhouettes)
    assert class_silhouette(embeddings, labels) == pytest.approx(mean, abs=1e-6)


def test_silhouette_of_tight_and_of_mixed_classes():
    labels = torch.arange(3).repeat_interleave(5)
    assert class_silhouette(torch.eye(3)[labels] + 1e-3 * normal(15, 3), labels) > 0.99
    mixed = torch.eye(5)[torch.arange(5).repeat(3)]
    assert class_silhouette(mixed + 1e-3 * normal(15, 5), labels) < 0


def test_neighbours_agree_where_values_follow_the_embeddings_only():
    embeddings = normal(500, 3)
    along = embeddings[:, 0].double().numpy()
    assert neighbour_agreement(embeddings, along) > 0.9
    shuffled = np.random.default_rng(0).permutation(along)
    assert abs(neighbour_agreement(embeddings, shuffled)) < 0.15


def test_values_that_are_all_the_same_have_no_agreement():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert math.isnan(neighbour_agreement(normal(40, 3), np.full(40, 7.0)))
