"""TripletMarginLoss from the counts of violating triplets per pair."""

from torch import Tensor

from gnn_nas.pretraining.metric.losses.mined_loss import MinedLoss
from gnn_nas.pretraining.metric.triplets import MinedTriplets


class TripletMargin(MinedLoss):
    """The triplet margin loss: the mean of the non-zero relu(d_ap - d_an + margin).

    Over the triplets that violate the margin it is linear in the distances, so it is enough to
    count these triplets per pair. The variants `swap` and `smooth_loss` are not, and take the
    triplets themselves.

    Source: Schroff et al. 2015, FaceNet, arXiv:1503.03832, equation 3.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        if self.library.swap or self.library.smooth_loss:
            return super().forward(embeddings, labels, mined)
        margin = self.library.margin
        distance = self.library.distance(embeddings)
        violating = _violating(distance.detach(), margin, mined)
        weight = violating.positive_counts() - violating.negative_counts()
        total = (weight * distance).sum() + margin * violating.count
        return total / violating.count.clamp(min=1)


def _violating(distance: Tensor, margin: float, mined: MinedTriplets) -> MinedTriplets:
    positive = distance.gather(1, mined.positive)
    violation = positive[:, :, None] - distance[:, None] + margin
    return MinedTriplets(mined.positive, mined.chosen & (violation > 0))
