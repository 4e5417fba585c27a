"""Miners that work from pairwise distances, named as in pytorch-metric-learning."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_nas.pretraining.metric.triplets import (
    MinedTriplets,
    TripletsBelow,
    positive_slots,
)

# What the library adds to every coordinate difference. It decides the case a = p = n, in which
# the angle would be 0/0: with it the tangent is 1/2, so the triplet is mined below 26.57 degrees.
_LIBRARY_EPS = 1e-6
# Unit vectors in float32 are known to about 1e-7, so a smaller squared distance than its square
# is rounding. It counts as zero, for isomorphic cells have equal embeddings and must tie exactly.
_SMALLEST_SQUARED_DISTANCE = 1e-13
# How far from 1 the norm of a float32 vector is that was divided by its norm, at most.
_ROUNDING = 1e-6
_TYPES = ("all", "hard", "semihard", "easy")


@dataclass(frozen=True)
class AngularMiner:
    """Mine the triplets whose angle at the negative is larger than ``angle`` degrees.

    With the centre c = (a + p) / 2 the angle is atan(|a-p| / 2|n-c|), and |n-c|² is
    (|n-a|² + |n-p|²) / 2 - |a-p|² / 4: distances between samples are enough, and no vector is
    gathered. The same triplets as the library's, but for some within 0.01 degrees of ``angle``.

    Source: Wang et al. 2017, Deep Metric Learning with Angular Loss, arXiv:1708.01682.

    Args:
        angle: from 0 to 90, both excluded.

    Shapes:
        - embeddings: ``[B, D]`` of unit length; labels: ``[B]``

    Raises:
        ValueError: another angle.
    """

    angle: float = 20

    def __post_init__(self) -> None:
        if not 0 < self.angle < 90:
            raise ValueError(f"AngularMiner: angle is {self.angle}, must be between 0 and 90.")

    @torch.no_grad()
    def __call__(self, embeddings: Tensor, labels: Tensor) -> MinedTriplets:
        same_label = labels[:, None] == labels
        slots = positive_slots(same_label)
        squared = squared_distances(embeddings)
        positive = squared.gather(1, slots)
        own = torch.arange(len(slots), device=slots.device)[:, None]

        # |a-p|² > 4 tan² |n-c|², solved for |n-a|² + |n-p|².
        eps = embeddings.shape[1] * _LIBRARY_EPS**2
        four_tan = 4 * math.tan(math.radians(self.angle)) ** 2
        reach = 2 * ((positive + eps) / four_tan - eps) + positive / 2
        return TripletsBelow(
            slots,
            squared.masked_fill_(same_label, math.inf),
            reach.masked_fill_(slots == own, -math.inf),
        )


@dataclass(frozen=True)
class TripletMarginMiner:
    """Mine triplets by how much farther the negative is from the anchor than the positive is.

    With g = |a-n| - |a-p| the types are "all": g <= margin, "hard": also g <= 0, "semihard": also
    g > 0, "easy": g > margin. The same triplets as the library's, which normalises embeddings too.

    Source: Schroff et al. 2015, FaceNet, arXiv:1503.03832, section 3.2.

    Shapes:
        - embeddings: ``[B, D]`` of any length; labels: ``[B]``

    Raises:
        ValueError: another type.
    """

    margin: float = 0.2
    type_of_triplets: str = "all"

    def __post_init__(self) -> None:
        if self.type_of_triplets not in _TYPES:
            raise ValueError(
                f"TripletMarginMiner: type_of_triplets is {self.type_of_triplets!r}, "
                f"must be one of {', '.join(_TYPES)}."
            )

    @torch.no_grad()
    def __call__(self, embeddings: Tensor, labels: Tensor) -> MinedTriplets:
        same_label = labels[:, None] == labels
        slots = positive_slots(same_label)
        # NaN compares false: the anchor itself is no positive, and its label has no negatives.
        distance = squared_distances(unit(embeddings)).sqrt_().fill_diagonal_(math.nan)
        positive = distance.gather(1, slots)
        negative = distance.masked_fill(same_label, math.nan)
        return MinedTriplets(slots, self._choose(negative[:, None] - positive[..., None]))

    def _choose(self, gap: Tensor) -> Tensor:
        if self.type_of_triplets == "easy":
            return gap > self.margin
        chosen = gap <= self.margin
        if self.type_of_triplets == "hard":
            chosen &= gap <= 0
        elif self.type_of_triplets == "semihard":
            chosen &= gap > 0
        return chosen


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


MINERS = {miner.__name__: miner for miner in (AngularMiner, TripletMarginMiner)}
