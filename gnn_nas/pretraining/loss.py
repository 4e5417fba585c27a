"""The pretraining loss: reconstruction, the metric loss, and what is told of cells, weighted."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss, normalize
from torch_geometric.data import Batch

from gnn_nas.config import FunctionConfig, MetricConfig, TrainingConfig
from gnn_nas.models.controller import Controller
from gnn_nas.pretraining.batches import TrainingBatch
from gnn_nas.pretraining.distributed import ALONE, Processes
from gnn_nas.pretraining.metric.metric_loss import make_metric_loss
from gnn_nas.spaces.batch import select
from gnn_nas.spaces.descriptors import Describer, num_descriptors
from gnn_nas.spaces.tokens import to_tokens


class Losses(NamedTuple):
    """The parts of one step's loss, scalars; means over a process's share, but for ``metric``.

    ``total`` is the weighted sum of the other losses, and alone has a gradient; ``token_accuracy``
    is that of teacher forcing.
    """

    total: Tensor
    reconstruction: Tensor
    metric: Tensor
    descriptors: Tensor
    token_accuracy: Tensor
    function: Tensor


class PretrainingObjective:
    """``L_r + lambda_e L_e`` (paper, equation 2), and how well a cell's description is predicted.

    Args:
        metric: the metric loss's config, or None to reconstruct only.
        training: of its fields ``embedding_noise`` and ``noise_power``, on the embeddings that the
            decoder reads (they are brought back to the sphere), ``structure_weight``, and
            ``precision``, of the models' matrix products, which must not be ``auto``.
        describe: gives the descriptors of cells, and their function; None where the descriptors'
            weight is 0.
        generator: of the noise.
        processes: those that share each batch.
        function: of its fields the weight; None where nothing is told of it.

    Raises:
        ValueError: the metric loss or the miner has no such name or argument.
        UserError: one of the user's own cannot be imported or made.
    """

    def __init__(
        self,
        metric: MetricConfig | None,
        training: TrainingConfig,
        describe: Describer | None,
        generator: torch.Generator,
        processes: Processes = ALONE,
        function: FunctionConfig | None = None,
    ) -> None:
        self.function_weight = function.weight if function else 0.0
        self.weight = metric.weight if metric else 0.0
        self.metric_loss = metric and make_metric_loss(metric).to(generator.device)
        self.describe = describe
        self.structure_weight = training.structure_weight
        self.noise, self.power = training.embedding_noise, training.noise_power
        self.precision = training.precision
        self.generator = generator
        self.processes = processes

    def __call__(self, controller: Controller, batch: TrainingBatch) -> Losses:
        """Compute the losses of one batch; the target is the canonical representative's tokens."""
        cells, own = self._share(batch)
        rows = batch.rows[own]
        tokens = to_tokens(batch.index.cells.take(rows))
        described = None if batch.descriptors is None else batch.descriptors[own]
        if self.describe and described is None:
            described = self.describe(batch.index, rows)
        lower = self.precision == "bfloat16"
        with torch.autocast(tokens.device.type, torch.bfloat16, enabled=lower):
            embeddings = controller.encode(cells)
            noisy = self._with_noise(embeddings, own, len(batch.rows))
            logits = controller.decoder(noisy, tokens)
            descriptors, function = self._description(controller, embeddings, described)
        reconstruction = cross_entropy(logits.float(), tokens.T)
        metric = (
            self.metric_loss(self.processes.gather(embeddings, batch.labels), batch.labels)
            if self.metric_loss
            else torch.zeros_like(reconstruction)
        )
        return Losses(
            total=reconstruction
            + self.weight * metric
            + self.structure_weight * descriptors
            + self.function_weight * function,
            reconstruction=reconstruction.detach(),
            metric=metric.detach(),
            descriptors=descriptors.detach(),
            token_accuracy=(logits.detach().max(1).indices == tokens.T).float().mean(),
            function=function.detach(),
        )

    def _description(
        self, controller: Controller, embeddings: Tensor, described: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Mean squared errors of descriptors and of function; 0 of what is not learnt."""
        nothing = embeddings.new_zeros(())
        if described is None:
            return nothing, nothing
        told = controller.predictor.predict_descriptors(embeddings).float()
        columns = sum(num_descriptors(controller.space))
        descriptors = mse_loss(told[:, :columns], described[:, :columns].float())
        if not self.function_weight:
            return descriptors, nothing
        return descriptors, mse_loss(told[:, columns:], described[:, columns:].float())

    def _share(self, batch: TrainingBatch) -> tuple[Batch, Tensor | slice]:
        """Cells of this process's share of a batch, and where in the batch they are."""
        if self.processes.alone:
            return batch.cells, slice(None)
        own = self.processes.shares(batch.labels)[self.processes.rank]
        chosen = torch.zeros_like(batch.labels, dtype=torch.bool).index_fill(0, own, True)
        return select(batch.cells, chosen), own

    def _with_noise(self, embeddings: Tensor, own: Tensor | slice, count: int) -> Tensor:
        if not self.noise:
            return embeddings
        # For all ``count`` samples of the batch, so that every process draws the same.
        draws: dict[str, Any] = {"generator": self.generator, "device": embeddings.device}
        noise = torch.randn(count, embeddings.shape[1], **draws)[own]
        # Little noise for some, so that fine differences can still be learnt; much for others, so
        # that what lies between the cells' embeddings decodes to valid cells.
        deviation = self.noise * torch.rand(count, 1, **draws)[own].pow(self.power)
        return normalize(embeddings + deviation * noise, dim=1)
