"""Miners and metric losses against pytorch-metric-learning's own, in the same run."""

from functools import partial

import torch
from pytorch_metric_learning import losses, miners
from torch import Tensor

from bench.measuring import Figure, seconds
from gnn_nas.config import load_config
from gnn_nas.pretraining.metric import make_metric_loss

CONFIGS = (
    "angular", "contrastive", "genlifted", "lifted", "margin", "multisim", "npairs", "triplet"
)  # fmt: skip


def measure() -> list[Figure]:
    """Measure every configured loss with its miner, forward and backward, and the miner alone."""
    return [figure for name in CONFIGS for figure in _loss(name)] + _angular_miner()


def _loss(name: str) -> list[Figure]:
    config = load_config(f"configs/gin_{name}.yaml")
    metric = config.metric
    ours = make_metric_loss(metric.loss, metric.loss_args, metric.miner, metric.miner_args)
    library_loss = getattr(losses, metric.loss)(**metric.loss_args)
    library_miner = getattr(miners, metric.miner)(**metric.miner_args)
    embeddings, labels = _batch(config.data.batch_size, config.model.embedding)
    embeddings.requires_grad_()
    condition = f"batch {config.data.batch_size}, {config.model.embedding} wide"

    def step_ours() -> None:
        ours(embeddings, labels).backward()

    def step_library() -> None:
        library_loss(embeddings, labels, library_miner(embeddings, labels)).backward()

    return [
        Figure(f"{metric.loss}, ours", seconds(step_ours, 15) * 1e3, "ms", condition),
        Figure(f"{metric.loss}, library", seconds(step_library, 1) * 1e3, "ms", condition),
    ]


def _angular_miner() -> list[Figure]:
    embeddings, labels = _batch(512, 64)
    ours = make_metric_loss("MultiSimilarityLoss", {}, "AngularMiner", {"angle": 20}).miner
    fast = seconds(partial(ours, embeddings, labels), 15)
    slow = seconds(partial(miners.AngularMiner(20), embeddings, labels), 3)
    condition = "batch 512, 64 wide"
    return [
        Figure("AngularMiner, ours", fast * 1e3, "ms", condition),
        Figure("AngularMiner, library", slow * 1e3, "ms", condition),
        Figure("AngularMiner, gain", slow / fast, "x", condition),
    ]


def _batch(size: int, width: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.nn.functional.normalize(torch.randn(size, width, generator=generator))
    return embeddings, torch.arange(size // 8).repeat_interleave(8)
