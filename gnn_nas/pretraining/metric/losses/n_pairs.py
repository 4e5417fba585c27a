"""NPairsLoss from the positive pairs of the triplets."""

from torch import Tensor

from gnn_nas.pretraining.metric.losses.mined_loss import MinedLoss
from gnn_nas.pretraining.metric.triplets import MinedTriplets


class NPairs(MinedLoss):
    """The N-pair loss, which takes the first mined positive pair of every label.

    First means the lowest anchor, then the lowest positive: the order `MinedTriplets` lists
    pairs in. The negatives are the other labels' positives, mined or not.

    Source: Sohn 2016, Improved Deep Metric Learning with Multi-class N-pair Loss Objective, eq. 7.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        return self.library(embeddings, labels, mined.pairs())
