"""Pairwise distances precise enough to decide which triplets are mined."""

import torch
from torch import Tensor

# Unit vectors in float32 are known to about 1e-7, so a smaller squared distance than its square
# is rounding. It counts as zero, for isomorphic cells have equal embeddings and must tie exactly.
_SMALLEST_SQUARED_DISTANCE = 1e-13


def squared_distances(embeddings: Tensor) -> Tensor:
    """Squared Euclidean distances between all rows, with small ones as precise as large ones.

    Shapes: embeddings (B, D) of unit length; result (B, B), float32, exactly 0 for equal rows.

    The products are taken in float64: |a|² + |b|² - 2ab in float32 leaves an error of 1e-7, which
    is more than the squared distance between two close positives.
    """
    points = embeddings.double()
    norms = points.square().sum(1)
    squared = torch.addmm(norms, points, points.T, alpha=-2).add_(norms[:, None]).float()
    return torch.nn.functional.threshold_(squared, _SMALLEST_SQUARED_DISTANCE, 0.0)
