"""A step before the first one: what cannot work is found out before anything is written."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import normalize

from gnn_nas.config import PretrainConfig
from gnn_nas.pretraining.arguments import reason
from gnn_nas.pretraining.metric import make_metric_loss
from gnn_nas.pretraining.optimisation import make_optimizer, make_schedule


def rehearse(config: PretrainConfig, device: torch.device) -> None:
    """Make a step with the config's losses and optimiser, on random embeddings without a model.

    They are as many as in a batch, since some losses need memory that grows with its fourth power.
    All parameters and random numbers are its own, so the run to come is not touched.

    Raises:
        ValueError: a loss, miner, optimiser or schedule does not exist, takes no such argument or
            does not run, or its result is not finite.
    """
    number = torch.arange(config.data.anchors)
    labels = torch.cat([number, number.repeat_interleave(config.data.positives)]).to(device)
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(len(labels), config.model.embedding, generator=generator).to(device)
    points, bias = nn.Parameter(points), nn.Parameter(torch.zeros_like(points[0]))
    noise = config.training.embedding_noise * points.detach().flip(0)

    metric = config.metric and make_metric_loss(
        config.metric.loss, config.metric.loss_args, config.metric.miner, config.metric.miner_args
    )
    optimizer = make_optimizer(config.optimizer, [points, bias])
    make_schedule(config.optimizer, optimizer, config.training.steps)
    try:
        embeddings = normalize(points + bias, dim=1)
        loss = normalize(embeddings + noise, dim=1)[:, 0].mean()
        loss = loss + config.training.structure_weight * embeddings.square().mean()
        if metric:
            # Losses that draw samples do so from torch's own generator.
            with torch.random.fork_rng(devices=[]):
                loss = loss + config.metric.weight * metric(embeddings, labels)
        loss.backward()
        if config.optimizer.clip:
            nn.utils.clip_grad_norm_([points, bias], config.optimizer.clip)
        optimizer.step()
        # Some use what the first step has left only in the second.
        optimizer.step()
    except Exception as error:  # libraries raise anything
        used = [config.optimizer.name]
        if config.metric:
            used = [config.metric.loss, config.metric.miner or "no miner", *used]
        raise ValueError(f"a step with {', '.join(used)} fails: {reason(error)}") from error
    if not all(each.isfinite().all() for each in (loss, points, bias)):
        raise ValueError(
            "a step with these weights and arguments of metric, optimizer and training gives"
            " numbers that are not finite"
        )
