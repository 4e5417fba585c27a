"""Pairwise distances that triplets are mined by."""

import torch
from torch.nn.functional import normalize

from gnn_nas.pretraining.metric.distances import squared_distances


def test_small_and_large_distances_are_equally_precise():
    generator = torch.Generator().manual_seed(0)
    centre, noise = torch.randn(2, 40, 16, generator=generator)
    scale = torch.logspace(-4, 0, 40)[:, None]
    points = normalize(normalize(centre[:1], dim=1) + scale * noise, dim=1)
    exact = (points.double()[:, None] - points.double()).square().sum(2)
    squared = squared_distances(points)
    assert squared.dtype == torch.float32
    torch.testing.assert_close(squared, exact.float(), rtol=1e-6, atol=0)


def test_equal_embeddings_have_distance_zero_and_tie_everywhere():
    points = normalize(torch.randn(70, 33, generator=torch.Generator().manual_seed(0)), dim=1)
    squared = squared_distances(points.repeat(3, 1)).view(3, 70, 3, 70)
    assert not squared.diagonal(dim1=1, dim2=3).any()
    assert (squared == squared[:1, :, :1]).all()
