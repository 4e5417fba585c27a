"""Networks that learn to order cells: by their graphs or by their descriptors."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from gnn_nas.models.controller import Controller
from gnn_nas.spaces.table import CellTable

_HEAD_LR = 3e-3
# Share of the steps in which the learning rates rise.
_WARMUP = 0.1
_BATCH, _CHUNK = 64, 1024


class Plan(NamedTuple):
    """How a network learns.

    Args:
        lr: of what it reads cells with, where that learns; epochs: over the cells that are known.
        decay: weight decay of all of it.
    """

    lr: float
    epochs: int
    decay: float


class Reader(Protocol):
    """What a network reads of cells.

    Attributes:
        columns: of what it reads.
    """

    columns: int

    def learning(self) -> list[nn.Parameter]:
        """Those of its parameters that are to learn."""

    def read(self, rows: Tensor) -> Tensor:
        """What is read of rows of the cell table, ``[N] -> [N, columns]``."""


class GraphReader:
    """Reads cells' graphs by a copy of a controller: what it tells of them.

    Args:
        controller: what is copied; table: the cells.
    """

    def __init__(self, controller: Controller, table: CellTable) -> None:
        self.controller = copy.deepcopy(controller).requires_grad_(True)
        self.table = table
        self.columns = sum(controller.predictor.blocks)

    def learning(self) -> list[nn.Parameter]:
        told = self.controller.predictor.structure
        return [*self.controller.encoder.parameters(), *told.parameters()]

    def read(self, rows: Tensor) -> Tensor:
        graphs = self.table.cells[rows].to_graphs()
        embeddings = self.controller.encoder.encode(graphs._replace(x=graphs.x.float()))
        return self.controller.predictor.predict_descriptors(embeddings)


class DescriptorReader:
    """Reads descriptors of all cells, ``[cells, columns]``, as they are, in single precision."""

    def __init__(self, descriptors: Tensor) -> None:
        self.descriptors = descriptors
        self.columns = descriptors.shape[1]

    def learning(self) -> list[nn.Parameter]:
        return []

    def read(self, rows: Tensor) -> Tensor:
        return self.descriptors[rows].float()


def narrow_head(columns: int) -> nn.Sequential:
    """Orders cells by what a reader has learnt to read of them."""
    return nn.Sequential(
        nn.Dropout(0.2),
        nn.Linear(columns, 128),
        nn.ReLU(),
        nn.Dropout(0.2),
        nn.Linear(128, 128),
        nn.ReLU(),
        nn.Linear(128, 1),
    )


def wide_head(columns: int) -> nn.Sequential:
    """Orders cells by what is read of them as it is: it has to learn all itself."""
    return nn.Sequential(
        nn.Linear(columns, 512),
        nn.ReLU(),
        nn.Dropout(0.4),
        nn.Linear(512, 512),
        nn.ReLU(),
        nn.Dropout(0.4),
        nn.Linear(512, 1),
    )


class Ranker:
    """A head that orders cells by what is read of them.

    Args:
        reader: it learns with the head; make_head: of so many columns.
    """

    def __init__(
        self, reader: Reader, make_head: Callable[[int], nn.Sequential] = narrow_head
    ) -> None:
        self.reader = reader
        self.make_head = make_head
        self.head: nn.Module | None = None

    def fit(self, rows: Tensor, targets: Tensor, plan: Plan, generator: torch.Generator) -> Ranker:
        """Train the reader and a new head to order cells as their targets do, and give itself.

        Shapes:
            - rows: int64 ``[N]``, rows of the cell table; targets: ``[N]``
        """
        seed = int(torch.randint(2**62, (), generator=generator))
        # Dropout knows the global generator only.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._fit(rows, targets, plan)
        return self

    @torch.no_grad()
    def score(self, rows: Tensor) -> Tensor:
        """Scores of rows of the cell table, ``[N]``; their unit means nothing."""
        return torch.cat([self._scores(part) for part in rows.split(_CHUNK)])

    def _scores(self, rows: Tensor) -> Tensor:
        return self.head(self.reader.read(rows))[:, 0]

    def _fit(self, rows: Tensor, targets: Tensor, plan: Plan) -> None:
        self.head = self.make_head(self.reader.columns)
        parameters = self.reader.learning(), [*self.head.parameters()]
        rates = [rate for rate, own in zip((plan.lr, _HEAD_LR), parameters, strict=True) if own]
        optimizer = torch.optim.AdamW(
            [{"params": own} for own in parameters if own], weight_decay=plan.decay
        )
        steps = plan.epochs * num_batches(rows)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=rates, total_steps=steps, pct_start=_WARMUP
        )
        for _ in range(plan.epochs):
            for batch in torch.randperm(len(rows)).split(_BATCH):
                scores = self._scores(rows[batch])
                optimizer.zero_grad()
                ranking_loss(scores, targets[batch]).backward()
                optimizer.step()
                schedule.step()
        self.head.eval()


def num_batches(rows: Tensor) -> int:
    """Steps of an epoch."""
    return math.ceil(len(rows) / _BATCH)


def ranking_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Mean of ``softplus(score_j - score_i)`` over the pairs where i's target is the higher.

    Shapes:
        - scores, targets: ``[N]``; returns: scalar, 0 where no two targets differ
    """
    ordered = targets[:, None] > targets
    losses = nn.functional.softplus(scores - scores[:, None])
    return (losses * ordered).sum() / ordered.sum().clamp(min=1)
