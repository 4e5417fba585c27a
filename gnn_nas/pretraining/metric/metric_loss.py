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
    """A metric loss on the triplets that a miner chooses, or on the whole batch without a miner."""

    def __init__(
        self, loss: MinedLoss, miner: Callable[[Tensor, Tensor], MinedTriplets] | None
    ) -> None:
        super().__init__()
        self.loss = loss
        self.miner = miner

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of one batch, a scalar.

        Shapes: embeddings (B, D) of unit length; labels (B), integers, equal for positives. In half
        precision, where sums over triplets overflow, embeddings are computed with as float32.

        Raises ValueError for other shapes.
        """
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
        return self.loss(embeddings, labels, self.miner(embeddings, labels))


def make_metric_loss(
    loss: str, loss_args: Mapping[str, Any], miner: str | None, miner_args: Mapping[str, Any]
) -> MetricLoss:
    """Build a metric loss from names and arguments as pytorch-metric-learning has them.

    Raises ValueError for a name, an argument or a value that is not allowed.
    """
    library = build("metric loss", loss, loss_args, LIBRARY_LOSSES)
    route = ROUTES.get(loss, MinedLoss)(library)
    if miner is None:
        if miner_args:
            raise ValueError(f"There are arguments {dict(miner_args)} but no miner to take them.")
        return MetricLoss(route, None)
    return MetricLoss(route, build("miner", miner, miner_args, MINERS))
