"""MarginLoss from the counts of triplets per pair."""

from pytorch_metric_learning.losses import MarginLoss
from torch import Tensor

from gnn_nas.pretraining.metric.losses.mined_loss import MinedLoss
from gnn_nas.pretraining.metric.triplets import MinedTriplets


class Margin(MinedLoss):
    """The margin loss: distances to positives below β - margin, to negatives above β + margin.

    The sum over triplets of relu(d_ap - β + margin) + relu(β - d_an + margin), divided by the
    number of non-zero terms; plus νβ if β is learnt.

    Source: Wu et al. 2017, Sampling Matters in Deep Embedding Learning, arXiv:1706.07567, eq. 5.

    Raises:
        ValueError: there is a β per class, but labels mean something within one batch only.
    """

    def __init__(self, library: MarginLoss) -> None:
        if len(library.beta) > 1:
            raise ValueError("MarginLoss: num_classes cannot be given, as labels are no classes.")
        super().__init__(library)

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        distance = self.library.distance(embeddings)
        margin, beta = self.library.margin, self.library.beta.to(distance)
        positive, negative = mined.positive_counts(), mined.negative_counts()
        too_far = (distance - beta + margin).relu()
        too_close = (beta - distance + margin).relu()
        nonzero = (positive * (too_far > 0)).sum() + (negative * (too_close > 0)).sum()
        loss = (positive * too_far + negative * too_close).sum() / nonzero.clamp(min=1)
        if self.library.learn_beta:
            loss = loss + (mined.count > 0) * self.library.nu * beta.squeeze()
        return loss
