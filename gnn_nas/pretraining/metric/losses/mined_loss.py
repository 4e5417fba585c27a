"""The route every loss has: the library's own, on the mined triplets."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gnn_nas.pretraining.metric.triplets import MinedTriplets


class MinedLoss(nn.Module):
    """A loss of pytorch-metric-learning on mined triplets.

    This route hands the triplets over as they are. A subclass gives the same value and gradient
    from fewer numbers, and reads its arguments and its distance from the library's loss.

    Args:
        library: the library's loss, or one of a user's own that is called like it.

    Shapes:
        - embeddings: ``[B, D]``; labels: ``[B]``
        - returns: a scalar
    """

    library: Any

    def __init__(self, library: Callable[..., Tensor]) -> None:
        super().__init__()
        self.library = library

    def forward(self, embeddings: Tensor, labels: Tensor, mined: MinedTriplets) -> Tensor:
        return self.library(embeddings, labels, mined.indices())


def zero_for_one_triplet(loss: Tensor, mined: MinedTriplets) -> Tensor:
    """Give 0 for a set of at most one triplet, as all the library's pair losses do."""
    return torch.where(mined.several, loss, 0 * loss)
