"""LiftedStructureLoss from the counts of triplets per pair."""

import torch
from torch import Tensor

from gnn_nas.pretraining.metric.losses.mined_loss import MinedLoss, zero_for_one_triplet
from gnn_nas.pretraining.metric.triplets import MinedTriplets


class Lifted(MinedLoss):
    """The lifted structure loss: a pair against the negatives mined for both of its samples.

    The mean over triplets of ½ relu(log(E_a + E_p) + neg_margin + d_ap - pos_margin)² with
    E_i = Σ_n N(i, n) exp(-d_in), N(i, n) being the number of triplets with anchor i and negative n.

    Source: Song et al. 2016, Deep Metric Learning via Lifted Structured Feature Embedding,
    arXiv:1511.06452, equation 4.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        distance = self.library.distance(embeddings)
        counts = mined.positive_counts()
        # Pairs without triplets are left out before the logarithm: it would make their gradient
        # NaN. With a triplet E_a is positive. No exponential can overflow, since 0 <= d <= 2.
        anchor, positive = torch.where(counts > 0)
        weight = counts[anchor, positive]
        pull = (mined.negative_counts() * (-distance).exp()).sum(1)
        lift = (pull[anchor] + pull[positive]).log() + self.library.neg_margin
        terms = (lift + distance[anchor, positive] - self.library.pos_margin).relu().square() / 2
        return zero_for_one_triplet((weight * terms).sum() / weight.sum().clamp(min=1), mined)
