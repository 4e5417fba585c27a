"""The pretraining loss: reconstruction plus the weighted metric loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from gnn_nas.cells.table import CellTable
from gnn_nas.cells.tokens import to_tokens
from gnn_nas.config import MetricConfig
from gnn_nas.models.controller import Controller
from gnn_nas.pretraining.batches import TrainingBatch
from gnn_nas.pretraining.metric import make_metric_loss


@dataclass(frozen=True)
class Losses:
    """The parts of one step's loss, scalars.

    ``total = reconstruction + weight * metric``; ``token_accuracy`` is that of teacher forcing.
    """

    total: Tensor
    reconstruction: Tensor
    metric: Tensor
    token_accuracy: Tensor


class PretrainingObjective:
    """``L_pretrain = L_r + lambda_e L_e`` (paper, equation 2).

    Args:
        metric: the metric loss's config, or None to reconstruct only.
        noise: standard deviation, per dimension, of the Gaussian noise on the embeddings that the
            decoder reads; they are brought back to the sphere.
        generator: of the noise.

    Raises:
        ValueError: the metric loss or the miner has no such name or argument.
    """

    def __init__(
        self, metric: MetricConfig | None, noise: float, generator: torch.Generator
    ) -> None:
        self.weight = metric.weight if metric else 0.0
        self.metric_loss = (
            make_metric_loss(metric.loss, metric.loss_args, metric.miner, metric.miner_args)
            if metric
            else None
        )
        self.noise = noise
        self.generator = generator

    def __call__(self, controller: Controller, table: CellTable, batch: TrainingBatch) -> Losses:
        """Compute the losses of one batch; the target is the canonical representative's tokens."""
        embeddings = controller.encode(batch.cells)
        tokens = to_tokens(table.cells[batch.rows])
        logits = controller.decoder(self._disturbed(embeddings), tokens)
        reconstruction = cross_entropy(logits.flatten(0, 1), tokens.T.flatten())
        metric = (
            self.metric_loss(embeddings, batch.labels)
            if self.metric_loss
            else torch.zeros_like(reconstruction)
        )
        return Losses(
            total=reconstruction + self.weight * metric,
            reconstruction=reconstruction.detach(),
            metric=metric.detach(),
            token_accuracy=(tokens == logits.detach().argmax(2).T).float().mean(),
        )

    def _disturbed(self, embeddings: Tensor) -> Tensor:
        if not self.noise:
            return embeddings
        noise = torch.randn(embeddings.shape, generator=self.generator, device=embeddings.device)
        return normalize(embeddings + self.noise * noise, dim=1)
