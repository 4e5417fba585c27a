"""Pairwise distances precise enough to decide which triplets are mined."""

import torch
from torch import Tensor

# Unit vectors in float32 are known to about 1e-7, so a smaller squared distance than its square
# is rounding. It counts as zero, for isomorphic cells have equal embeddings and must tie exactly.
_SMALLEST_SQUARED_DISTANCE = 1e-13
# How far from 1 the norm of a float32 vector is that was divided by its norm, at most.
_ROUNDING = 1e-6


def unit(embeddings: Tensor) -> Tensor:
    """Rows brought to unit length in float64, those that are unit vectors already as they are.

    Shapes:
        - embeddings: ``[B, D]``
        - returns: the same, float64; a row of zeros stays
    """
    points = embeddings.double()
    norms = points.norm(dim=1, keepdim=True)
    # Dividing once more would move no point by more than rounding, but break ties at random.
    norms = torch.where((norms - 1).abs() < _ROUNDING, 1.0, norms)
    return points / norms.clamp(min=torch.finfo(points.dtype).tiny)


def squared_distances(embeddings: Tensor) -> Tensor:
    """Squared Euclidean distances between all rows, with small ones as precise as large ones.

    The products are taken in float64: |a|² + |b|² - 2ab in float32 leaves an error of 1e-7, which
    is more than the squared distance between two close positives.

    Shapes:
        - embeddings: ``[B, D]`` of unit length
        - returns: float32 ``[B, B]``, exactly 0 for equal rows
    """
    points = embeddings.double()
    norms = points.square().sum(1)
    squared = torch.addmm(norms, points, points.T, alpha=-2).add_(norms[:, None]).float()
    return torch.threshold_(squared, _SMALLEST_SQUARED_DISTANCE, 0.0)
