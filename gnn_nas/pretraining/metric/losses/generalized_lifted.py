"""GeneralizedLiftedStructureLoss from the pairs of the triplets."""

from torch import Tensor

from gnn_nas.pretraining.metric.losses.mined_loss import MinedLoss
from gnn_nas.pretraining.metric.triplets import MinedTriplets


class GeneralizedLifted(MinedLoss):
    """The generalised lifted structure loss, which asks of a pair only whether any triplet has it.

    Source: Hermans et al. 2017, In Defense of the Triplet Loss, arXiv:1703.07737, equation 8.
    """

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        return self.library(embeddings, labels, mined.pairs())
