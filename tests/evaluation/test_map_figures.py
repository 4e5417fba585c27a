import math
import warnings

import numpy as np
import pytest
import sklearn.manifold
import torch

from gnn_nas.evaluation import nearest_points
from gnn_nas.evaluation.map_figures import (
    class_silhouette,
    neighbour_agreement,
    trustworthiness,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("neighbours", [1, 5, 10])
def test_trustworthiness_equals_scikit_learns(monkeypatch, neighbours):
    monkeypatch.setattr(nearest_points, "_BLOCK", 64)
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
