"""The triplet margin miner from pairwise distances."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_nas.pretraining.metric.distances import squared_distances, unit
from gnn_nas.pretraining.metric.triplets import MinedTriplets, positive_slots

_TYPES = ("all", "hard", "semihard", "easy")


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
