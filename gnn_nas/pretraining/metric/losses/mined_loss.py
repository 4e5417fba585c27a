"""The route every loss has: the library's own, on the mined triplets."""

import torch
from pytorch_metric_learning.losses.base_metric_loss_function import BaseMetricLossFunction
from torch import Tensor, nn

from gnn_nas.pretraining.metric.triplets import MinedTriplets


class MinedLoss(nn.Module):
    """A loss of pytorch-metric-learning on mined triplets.

    This route hands the triplets over as they are. A subclass gives the same value and gradient
    from fewer numbers, and reads its arguments and its distance from the library's loss.
    """

    def __init__(self, library: BaseMetricLossFunction) -> None:
        super().__init__()
        self.library = library

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        """Compute the loss, a scalar, of embeddings (B, D) and labels (B)."""
        return self.library(embeddings, labels, mined.indices())


def zero_for_one_triplet(loss: Tensor, mined: MinedTriplets) -> Tensor:
    """Give 0 for a set of at most one triplet, as all the library's pair losses do."""
    return torch.where(mined.several, loss, 0 * loss)
