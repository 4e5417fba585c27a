"""AngularLoss from the counts of triplets per positive pair."""

import torch
from torch import Tensor

from gnn_nas.pretraining.metric.losses.log_sum_exp import log_one_plus_sum_exp
from gnn_nas.pretraining.metric.losses.mined_loss import MinedLoss
from gnn_nas.pretraining.metric.triplets import MinedTriplets


class Angular(MinedLoss):
    """The angular loss, which confronts a pair with all negatives of the batch, mined or not.

    The mean over triplets of log(1 + Σ_n exp(4 tan²α (a + p)n - 2(1 + tan²α) ap)). Triplets only
    repeat their pair's term, which is the same for (a, p) and (p, a): each is computed once.

    Source: Wang et al. 2017, Deep Metric Learning with Angular Loss, arXiv:1708.01682, eq. 7.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        counts = mined.positive_counts()
        counts = (counts + counts.T).triu()
        first, second = torch.where(counts > 0)
        weight = counts[first, second]

        # As in the library, only the pair's embeddings are normalised again.
        pairs = self.library.distance.normalize(embeddings)
        pairs_first, pairs_second = pairs[first], pairs[second]
        square = torch.tan(self.library.alpha).square().to(embeddings)
        towards_pair = 4 * square * (pairs_first + pairs_second) @ embeddings.T
        within_pair = 2 * (1 + square) * (pairs_first * pairs_second).sum(1, keepdim=True)
        is_negative = labels[first, None] != labels
        terms = log_one_plus_sum_exp(towards_pair - within_pair, is_negative)
        return (weight * terms).sum() / weight.sum().clamp(min=1)
