"""The metric term of the pretraining loss."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

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


def make_metric_loss(
    loss: str, loss_args: Mapping[str, Any], miner: str | None, miner_args: Mapping[str, Any]
) -> MetricLoss:
    """Build a metric loss from names, ours, pytorch-metric-learning's or ``module:object``.

    Any loss will do that takes ``(embeddings, labels)``, and with a miner the indices of pairs or
    triplets as a third, and any miner that takes ``(embeddings, labels)``. Parameters of their own
    are trained with the controller's.

    Raises:
        ValueError: a name, an argument or a value that is not allowed.
        UserError: a user's own cannot be imported or made.
    """
    library = build("metric.loss", "metric loss", loss, loss_args, LIBRARY_LOSSES)
    route = ROUTES.get(loss, MinedLoss)(library)
    if miner is None:
        if miner_args:
            raise ValueError(f"There are arguments {dict(miner_args)} but no miner to take them.")
        return MetricLoss(route, None)
    return MetricLoss(route, build("metric.miner", "miner", miner, miner_args, MINERS))
