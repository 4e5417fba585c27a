"""Networks that learn to order cells: by their graphs or by their descriptors."""

from __future__ import annotations

import copy
import math
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from gnn_nas.models.controller import Controller
from gnn_nas.spaces.table import CellTable

HEAD_LR = 3e-3
"""Learning rate of a head, which knows nothing when it begins."""

# Share of the steps in which the learning rates rise.
_WARMUP = 0.1
# Of a schedule: with ten the learning rates would rise in no step at all, which it divides by.
_LEAST_STEPS = 11
_BATCH, _CHUNK = 64, 1024


class Plan(NamedTuple):
    """How long a network learns, in epochs, and the weight decay of all of it."""

    epochs: int
    decay: float


class Reader(Protocol):
    """What a network reads of cells, and the head that it is read by."""

    def groups(self) -> list[dict[str, Any]]:
        """Parameters that learn with the head, in groups of an optimiser with their ``lr``."""

    def make_head(self) -> nn.Sequential:
        """A head with new parameters, ``[N, columns] -> [N, 1]``."""

    def read(self, rows: Tensor) -> Tensor:
        """What is read of rows of the cell table, ``[N] -> [N, columns]``."""


class GraphReader:
    """Reads cells' graphs by a copy of a controller: what it tells of them.

    Args:
        controller: what is copied; table: the cells; lr: learning rate of the copy.
    """

    def __init__(self, controller: Controller, table: CellTable, lr: float) -> None:
        self.controller = copy.deepcopy(controller).requires_grad_(True).eval()
        self.table = table
        self.lr = lr

    def groups(self) -> list[dict[str, Any]]:
        encoder, told = self.controller.encoder, self.controller.predictor.structure
        return [{"params": [*encoder.parameters(), *told.parameters()], "lr": self.lr}]

    def make_head(self) -> nn.Sequential:
        return nn.Sequential(
            nn.Dropout(0.2),
            nn.Linear(sum(self.controller.predictor.blocks), 128),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Linear(128, 1),
        )

    def read(self, rows: Tensor) -> Tensor:
        embeddings = self.controller.encode_packed(self.table.cells[rows])
        return self.controller.predictor.predict_descriptors(embeddings)


class DescriptorReader:
    """Reads descriptors of all cells, ``[cells, columns]``, as they are, in single precision.

    Nothing learns below the head, so that it is a wide one.
    """

    def __init__(self, descriptors: Tensor) -> None:
        self.descriptors = descriptors

    def groups(self) -> list[dict[str, Any]]:
        return []

    def make_head(self) -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(self.descriptors.shape[1], 512),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Dropout(0.4),
            nn.Linear(512, 1),
        )

    def read(self, rows: Tensor) -> Tensor:
        return self.descriptors[rows].float()


class Ranker:
    """A network that learns to order cells by what it reads of them.

    Args:
        reader: it learns with the head.
    """

    head: nn.Sequential

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def fit(self, rows: Tensor, targets: Tensor, plan: Plan, generator: torch.Generator) -> Ranker:
        """Train the reader and a new head to order cells as their targets do; returns itself.

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
        self.head = self.reader.make_head()
        groups = [*self.reader.groups(), {"params": [*self.head.parameters()], "lr": HEAD_LR}]
        rates = [group["lr"] for group in groups]
        optimizer = torch.optim.AdamW(groups, weight_decay=plan.decay)
        steps = max(plan.epochs * steps_per_epoch(rows), _LEAST_STEPS)
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


def steps_per_epoch(rows: Tensor) -> int:
    """Steps in which a network sees each of rows once."""
    return math.ceil(len(rows) / _BATCH)


def ranking_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Mean of ``softplus(score_j - score_i)`` over the pairs where i's target is the higher.

    Shapes:
        - scores, targets: ``[N]``; returns: scalar, 0 where no two targets differ
    """
    ordered = targets[:, None] > targets
    losses = nn.functional.softplus(scores - scores[:, None])
    return (losses * ordered).sum() / ordered.sum().clamp(min=1)
