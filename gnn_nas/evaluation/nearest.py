"""Exact nearest neighbours of many points, and what they say of embeddings and their maps."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.metrics import silhouette_score
from torch import Tensor

NEIGHBOURS = 10
"""Nearest cells that count as neighbours."""

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


def trustworthiness(embeddings: Tensor, coordinates: Tensor, neighbours: int = NEIGHBOURS) -> float:
    """Say how little a map shows as neighbours what the embeddings keep apart.

    It is 1 where the neighbours in the map are those of the embeddings, about 0.5 for a random
    map (Venna & Kaski 2001, equation 1).

    Shapes:
        - embeddings: ``[N, embedding]``; coordinates: ``[N, 2]``

    Raises:
        ValueError: half the points, or more, would be neighbours.
    """
    count = len(embeddings)
    if 2 * neighbours >= count:
        raise ValueError(f"{neighbours} neighbours must be fewer than half of {count} points")
    in_map, _ = nearest_neighbours(coordinates, neighbours)
    excess = 0.0
    for rows, distances in distances_to_others(embeddings):
        for neighbour in in_map[rows].T:
            nearer = distances < distances.gather(1, neighbour[:, None])
            # Floats are added four times as fast as truth values.
            rank = nearer.float().sum(1) + 1
            excess += (rank - neighbours).clamp_(min=0).double().sum().item()
    return 1 - 2 * excess / (count * neighbours * (2 * count - 3 * neighbours - 1))


def class_silhouette(embeddings: Tensor, labels: Tensor) -> float:
    """Mean silhouette of classes by Euclidean distances, from -1 to 1 (Rousseeuw 1987).

    Shapes:
        - embeddings: ``[N, embedding]``; labels: ``[N]``, at least two different ones
    """
    return float(silhouette_score(embeddings.double().numpy(), labels.numpy()))


def neighbour_agreement(embeddings: Tensor, values: np.ndarray) -> float:
    """Spearman correlation of every cell's value and the mean value of its nearest embeddings.

    Shapes:
        - embeddings: ``[N, embedding]``; values: ``[N]``, finite

    Returns:
        the correlation; NaN where all values are the same
    """
    if np.ptp(values) == 0:
        return math.nan
    nearest, _ = nearest_neighbours(embeddings, NEIGHBOURS)
    means = torch.from_numpy(values)[nearest].mean(1)
    return spearmanr(values, means.numpy()).statistic.item()
