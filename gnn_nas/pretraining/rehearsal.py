"""A step before the first one: what cannot work is found out before anything is written."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from gnn_nas.config import PretrainConfig
from gnn_nas.errors import UserError
from gnn_nas.pretraining.arguments import reason
from gnn_nas.pretraining.metric.metric_loss import make_metric_loss
from gnn_nas.pretraining.optimisation import make_optimizer, make_schedule
from gnn_nas.references import place, users_code
from gnn_nas.spaces.index import CellIndex

# Cells that an encoder of the user's own encodes first.
_CELLS = 16


def rehearse(config: PretrainConfig, device: torch.device) -> None:
    """Make a step with the config's losses and optimiser, on random embeddings without a model.

    They are as many as in a batch, since some losses need memory that grows with its fourth power.
    All parameters and random numbers are its own, so the run to come is not touched.

    Raises:
        ValueError: a loss, miner, optimiser or schedule does not exist, takes no such argument or
            does not run, or its result is not finite or no scalar.
        UserError: a loss or a miner of the user's own cannot be imported or made.
    """
    number = torch.arange(config.data.anchors)
    labels = torch.cat([number, number.repeat_interleave(config.data.positives)]).to(device)
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(len(labels), config.model.embedding, generator=generator).to(device)
    points, bias = nn.Parameter(points), nn.Parameter(torch.zeros_like(points[0]))
    noise = config.training.embedding_noise * points.detach().flip(0)

    # Losses that draw samples or parameters do so from torch's own generator.
    with torch.random.fork_rng(devices=[]):
        metric = config.metric and make_metric_loss(config.metric).to(device)
    trained = [points, bias, *(metric.parameters() if metric else ())]
    optimizer = make_optimizer(config.optimizer, trained)
    make_schedule(config.optimizer, optimizer, config.training.steps)
    try:
        embeddings = normalize(points + bias, dim=1)
        loss = normalize(embeddings + noise, dim=1)[:, 0].mean()
        loss = loss + config.training.structure_weight * embeddings.square().mean()
        if config.metric and metric:
            with torch.random.fork_rng(devices=[]):
                own = metric(embeddings, labels)
            if own.shape != ():
                raise ValueError(f"the loss must be a scalar, not of shape {tuple(own.shape)}")
            loss = loss + config.metric.weight * own
        loss.backward()
        if config.optimizer.clip:
            nn.utils.clip_grad_norm_(trained, config.optimizer.clip)
        optimizer.step()
        # Some use what the first step has left only in the second.
        optimizer.step()
    except Exception as error:  # libraries raise anything
        used = [config.optimizer.name]
        if config.metric:
            used = [config.metric.loss, config.metric.miner or "no miner", *used]
        raise ValueError(
            f"a step with {', '.join(used)} fails: {reason(error)}{place(error)}"
        ) from error
    if not all(each.isfinite().all() for each in (loss, *trained)):
        raise ValueError(
            "a step with these weights and arguments of metric, optimizer and training gives"
            " numbers that are not finite"
        )


def rehearse_encoder(encoder: Any, name: str, table: CellIndex) -> None:
    """Encode some cells with copies of an encoder of the user's own, as a run does.

    Args:
        encoder: a module; name: its ``module:object``.

    Raises:
        UserError: it fails, or is not as `gnn_nas.models.encoder.Encoder` says.
    """
    option = f"model.encoder.name {name}"
    cells = table.cells[:_CELLS]
    graphs = cells.to_graphs()
    for precision, batch in (
        (torch.float32, cells.to_batch()),
        (torch.float64, graphs._replace(x=graphs.x.double())),
    ):
        with users_code(f"{option} cannot encode"), torch.random.fork_rng(devices=[]):
            twin = copy.deepcopy(encoder).to(precision)
            # As in training, then as when it is measured.
            embeddings = twin.train(precision == torch.float32).encode(batch)
        if not (isinstance(embeddings, Tensor) and embeddings.is_floating_point()):
            raise UserError(f"{option} must encode to a tensor of floating-point numbers")
        if embeddings.shape != (_CELLS, encoder.embedding_size):
            raise UserError(
                f"{option} encodes {_CELLS} cells to {tuple(embeddings.shape)}, not"
                f" {(_CELLS, encoder.embedding_size)}"
            )
        if not embeddings.requires_grad:
            raise UserError(f"{option} cannot be trained: its embeddings have no gradient")
        lengths = embeddings.norm(dim=1)
        if not torch.allclose(lengths, torch.ones_like(lengths), atol=1e-2):
            raise UserError(f"{option} must give embeddings of length 1: normalize(x, dim=1)")
