"""The angular miner from pairwise distances."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_nas.pretraining.metric.distances import squared_distances
from gnn_nas.pretraining.metric.triplets import MinedTriplets, TripletsBelow, positive_slots

# What the library adds to every coordinate difference. It decides the case a = p = n, in which
# the angle would be 0/0: with it the tangent is 1/2, so the triplet is mined below 26.57 degrees.
_LIBRARY_EPS = 1e-6


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
