"""Whether neighbours on a map are neighbours in truth, and what embeddings' neighbours share."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.metrics import silhouette_score
from torch import Tensor

from gnn_nas.evaluation.nearest_points import distances_to_others, nearest_neighbours

NEIGHBOURS = 10
"""Nearest cells that count as neighbours."""


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
