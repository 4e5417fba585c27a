"""The metric term of the pretraining loss."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gnn_nas.config import MetricConfig
from gnn_nas.pretraining.arguments import build
from gnn_nas.pretraining.metric.losses import LIBRARY_LOSSES, ROUTES, MinedLoss
from gnn_nas.pretraining.metric.miners import MINERS
from gnn_nas.pretraining.metric.triplets import MinedTriplets


class MetricLoss(nn.Module):
    """A metric loss on the tuples that a miner chooses, or on the whole batch without a miner.

    Args:
        loss: one of ours, or the library's or a user's own in a `MinedLoss`.
        miner: takes ``(embeddings, labels)``; one that is not ours gives a tuple of indices, as
            those of pytorch-metric-learning do.

    Shapes:
        - embeddings: ``[B, D]`` of unit length. In half precision, where sums over triplets
          overflow, they are computed with as float32
        - labels: integers ``[B]``, equal for positives
        - returns: a scalar

    Raises:
        ValueError: other shapes.
    """

    def __init__(
        self,
        loss: MinedLoss,
        miner: Callable[[Tensor, Tensor], MinedTriplets | tuple[Tensor, ...]] | None,
    ) -> None:
        super().__init__()
        self.loss = loss
        self.miner = miner

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        if embeddings.ndim != 2 or labels.shape != embeddings.shape[:1]:
            raise ValueError(
                "Embeddings must be (B, D) and labels (B), "
                f"not {tuple(embeddings.shape)} and {tuple(labels.shape)}."
            )
        labels = labels.to(embeddings.device)
        if embeddings.dtype in (torch.float16, torch.bfloat16):
            embeddings = embeddings.float()
        if self.miner is None:
            return self.loss.library(embeddings, labels)
        mined = self.miner(embeddings, labels)
        if isinstance(mined, MinedTriplets):
            return self.loss(embeddings, labels, mined)
        return self.loss.library(embeddings, labels, mined)


def make_metric_loss(config: MetricConfig) -> MetricLoss:
    """Build a metric loss from names, ours, pytorch-metric-learning's or ``module:object``.

    Any loss will do that takes ``(embeddings, labels)``, and with a miner the indices of pairs or
    triplets as a third, and any miner that takes ``(embeddings, labels)``. Parameters of their own
    are trained with the controller's.

    Raises:
        ValueError: a name, an argument or a value that is not allowed.
        UserError: a user's own cannot be imported or made.
    """
    library = build("metric.loss", "metric loss", config.loss, config.loss_args, LIBRARY_LOSSES)
    loss = ROUTES.get(config.loss, MinedLoss)(library)
    if config.miner is None:
        return MetricLoss(loss, None)
    return MetricLoss(loss, build("metric.miner", "miner", config.miner, config.miner_args, MINERS))
