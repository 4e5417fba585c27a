"""Exact nearest neighbours of many points, a block of distances at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

# Rows of the distance matrix that are held at a time: 20 MB at 20,000 points, which the system
# need not clear anew for every block.
_BLOCK = 256


def nearest_neighbours(points: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The nearest other points of every point, nearest first, and how far away they are.

    Shapes:
        - points: ``[N, D]``; returns: int64 and float32 ``[N, count]``
    """
    nearest = [distances.topk(count, largest=False) for _, distances in distances_to_others(points)]
    return torch.cat([each.indices for each in nearest]), torch.cat([e.values for e in nearest])


def distances_to_others(points: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Euclidean distances between all points, some rows at a time; to itself each is infinite.

    Shapes:
        - points: ``[N, D]``; gives: which rows, and ``[rows, N]``
    """
    for start in range(0, len(points), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(points)))
        # Not by matrix products: they lose the digits of small distances, and their last bits
        # depend on the number of threads.
        block = points[rows]
        distances = torch.cdist(block, points, compute_mode="donot_use_mm_for_euclid_dist")
        own = torch.arange(len(block), device=points.device)
        distances[own, start + own] = torch.inf
        yield rows, distances
