"""Miners and metric losses against pytorch-metric-learning's own, in the same run."""

import torch
from pytorch_metric_learning import losses, miners
from torch import Tensor

from bench.measuring import Figure, seconds
from gnn_nas.config import load_config
from gnn_nas.pretraining.metric import make_metric_loss

LOSSES = (
    "angular", "contrastive", "genlifted", "lifted", "margin", "multisim", "npairs", "triplet"
)  # fmt: skip


def measure() -> list[Figure]:
    """Measure a forward and backward pass of every configured loss with its miner."""
    figures = []
    for name in LOSSES:
        config = load_config(f"configs/gin_{name}.yaml")
        metric, size = config.metric, config.data.batch_size
        ours = make_metric_loss(metric.loss, metric.loss_args, metric.miner, metric.miner_args)
        library_loss = getattr(losses, metric.loss)(**metric.loss_args)
        library_miner = getattr(miners, metric.miner)(**metric.miner_args)
        embeddings, labels = _batch(size, config.model.embedding)

        def library(embeddings: Tensor, labels: Tensor, loss=library_loss, mine=library_miner):
            return loss(embeddings, labels, mine(embeddings, labels))

        condition = f"batch {size}, {embeddings.shape[1]} wide"
        for whose, loss, repeats in (("ours", ours, 15), ("library", library, 1)):
            took = seconds(lambda f=loss: f(embeddings, labels).backward(), repeats)
            figures.append(Figure(f"{metric.loss}, {whose}", took * 1e3, "ms", condition))
    embeddings, labels = _batch(512, 64)
    embeddings = embeddings.detach()
    own = make_metric_loss("MultiSimilarityLoss", {}, "AngularMiner", {"angle": 20}).miner
    fast = seconds(lambda: own(embeddings, labels), 15)
    slow = seconds(lambda: miners.AngularMiner(20)(embeddings, labels), 1)
    figures.append(Figure("AngularMiner, ours", fast * 1e3, "ms", "batch 512, 64 wide"))
    figures.append(Figure("AngularMiner, library", slow * 1e3, "ms", "batch 512, 64 wide"))
    figures.append(Figure("AngularMiner, gain", slow / fast, "x", "batch 512, 64 wide"))
    return figures


def _batch(size: int, width: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.nn.functional.normalize(torch.randn(size, width, generator=generator))
    return embeddings.requires_grad_(), torch.arange(size // 8).repeat_interleave(8)
