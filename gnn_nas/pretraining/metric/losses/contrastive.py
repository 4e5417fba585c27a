"""ContrastiveLoss from the counts of triplets per pair."""

from torch import Tensor

from gnn_nas.pretraining.metric.losses.mined_loss import MinedLoss, zero_for_one_triplet
from gnn_nas.pretraining.metric.triplets import MinedTriplets


class Contrastive(MinedLoss):
    """The contrastive loss, a pair counting once for every triplet that has it.

    The mean of the non-zero relu(d_ap - pos_margin) plus that of the non-zero
    relu(neg_margin - d_an).

    Source: Hadsell et al. 2006, Dimensionality Reduction by Learning an Invariant Mapping.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        distance = self.library.distance(embeddings)
        too_far = (distance - self.library.pos_margin).relu()
        too_close = (self.library.neg_margin - distance).relu()
        loss = _mean_of_nonzero(too_far, mined.positive_counts())
        loss = loss + _mean_of_nonzero(too_close, mined.negative_counts())
        return zero_for_one_triplet(loss, mined)


def _mean_of_nonzero(losses: Tensor, counts: Tensor) -> Tensor:
    return (counts * losses).sum() / (counts * (losses > 0)).sum().clamp(min=1)
