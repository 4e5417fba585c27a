"""The performance predictor at its best: a Gaussian process, fine-tuned copies and trees."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from sklearn.ensemble import ExtraTreesRegressor
from torch import Tensor, nn

from gnn_nas.evaluation.labels import gaussian_ranks
from gnn_nas.models.controller import Controller
from gnn_nas.models.surrogate import Surrogate
from gnn_nas.spaces.descriptors import num_descriptors
from gnn_nas.spaces.table import CellTable

PRETRAINED_LR, SCRATCH_LR = 3e-4, 1e-3
"""Learning rates of an encoder that is to keep what it knows, and of one that knows nothing."""

_HEAD_LR = 3e-3
_WEIGHT_DECAY = 0.05
# Share of the steps in which the learning rates rise.
_WARMUP = 0.1
_EPOCHS, _BATCH = 60, 64
_WIDTH, _DROPOUT = 128, 0.2
_TREES, _SPLIT_COLUMNS = 200, 0.5
# What process, copies and trees weigh in the average: trees alone order worse, but err elsewhere.
_WEIGHTS, _WEIGHTS_OF_MANY = (0.5, 0.25, 0.25), (0.3, 0.6, 0.1)
# From so many known cells on the copies tell most, and all their layers learn as fast as the head.
_MANY = 1000


class PredictorEnsemble:
    """Scores all cells once it has seen the rewards of a few; better cells score higher.

    It averages the standardised scores of a Gaussian process on the cells' descriptors, of copies
    of encoder and predictor that are fine-tuned to order the known cells, and of extremely
    randomised trees on the descriptors (Geurts et al. 2006).

    Args:
        controller: stays as it is; table: all cells.
        descriptors: of these, ``[N, columns]``, on the CPU: see
            `gnn_nas.spaces.descriptors`; what a controller tells of their function may follow.
        members: number of copies, one at least.
        lr: learning rate of the copies' encoders, where fewer than a thousand cells are known.
    """

    def __init__(
        self,
        controller: Controller,
        table: CellTable,
        descriptors: Tensor,
        members: int = 2,
        lr: float = PRETRAINED_LR,
    ) -> None:
        self.controller = controller
        self.table = table
        self.descriptors = descriptors
        self.blocks = num_descriptors(table.space)
        if told := descriptors.shape[1] - sum(self.blocks):
            self.blocks += (told,)
        self.members = members
        self.lr = lr

    def fit(self, rows: Tensor, rewards: Tensor, generator: torch.Generator) -> None:
        """Learn anew from the rewards of cells, two at least; only their order is used.

        Shapes:
            - rows: int64 ``[N]``, rows of the cell table; rewards: ``[N]``
        """
        targets = gaussian_ranks(rewards)
        descriptors = self.descriptors[rows]
        self.surrogate = Surrogate(self.blocks)
        self.surrogate.fit(descriptors, targets)
        self.trees = ExtraTreesRegressor(
            _TREES,
            max_features=_SPLIT_COLUMNS,
            random_state=int(torch.randint(2**32, (), generator=generator)),
        ).fit(descriptors.numpy(), targets.numpy())
        is_many = len(rows) >= _MANY
        self.weights = _WEIGHTS_OF_MANY if is_many else _WEIGHTS
        self.copies = [Ranker(self.controller) for _ in range(self.members)]
        for ranker in self.copies:
            ranker.fit(self.table, rows, targets, _HEAD_LR if is_many else self.lr, generator)

    @torch.no_grad()
    def predict_all(self) -> Tensor:
        """Scores of all cells, float64 ``[N]``, of mean 0."""
        copies = [_standardised(ranker.score(self.table)) for ranker in self.copies]
        scores: list[Any] = [
            _standardised(self.surrogate.predict_mean(self.descriptors)),
            torch.stack(copies).mean(0),
            _standardised(torch.from_numpy(self.trees.predict(self.descriptors.numpy()))),
        ]
        return sum(weight * each for weight, each in zip(self.weights, scores, strict=True))


class Ranker:
    """A copy of a controller with a head of its own in place of the performance predictor.

    Args:
        controller: what is copied.
    """

    def __init__(self, controller: Controller) -> None:
        self.controller = copy.deepcopy(controller).requires_grad_(True)
        self.head: nn.Module | None = None

    def fit(
        self,
        table: CellTable,
        rows: Tensor,
        targets: Tensor,
        lr: float,
        generator: torch.Generator,
    ) -> None:
        """Train encoder, predictor and a new head to order cells as their targets do.

        Shapes:
            - rows: int64 ``[N]``, rows of the cell table; targets: ``[N]``
        """
        seed = int(torch.randint(2**62, (), generator=generator))
        # Dropout knows the global generator only.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._fit(table, rows, targets, lr)

    @torch.no_grad()
    def score(self, table: CellTable, rows: Tensor | None = None) -> Tensor:
        """Scores of rows of the cell table, or of all cells, ``[N]``; their unit means nothing."""
        embeddings = self.controller.encode_rows(table, rows)
        return self.head(self.controller.predictor.predict_descriptors(embeddings))[:, 0]

    def _fit(self, table: CellTable, rows: Tensor, targets: Tensor, lr: float) -> None:
        encoder, reader = self.controller.encoder, self.controller.predictor.structure
        self.head = _head(sum(self.controller.predictor.blocks))
        groups = [
            {"params": [*encoder.parameters(), *reader.parameters()]},
            {"params": [*self.head.parameters()]},
        ]
        optimizer = torch.optim.AdamW(groups, weight_decay=_WEIGHT_DECAY)
        steps = _EPOCHS * math.ceil(len(rows) / _BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=[lr, _HEAD_LR], total_steps=steps, pct_start=_WARMUP
        )
        for _ in range(_EPOCHS):
            for batch in torch.randperm(len(rows)).split(_BATCH):
                embeddings = self.controller.encode(table.cells[rows[batch]].to_batch())
                scores = self.head(self.controller.predictor.predict_descriptors(embeddings))[:, 0]
                optimizer.zero_grad()
                ranking_loss(scores, targets[batch]).backward()
                optimizer.step()
                schedule.step()
        self.head.eval()


def ranking_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Mean of ``softplus(score_j - score_i)`` over the pairs where i's target is the higher.

    Shapes:
        - scores, targets: ``[N]``; returns: scalar, 0 where no two targets differ
    """
    ordered = targets[:, None] > targets
    losses = nn.functional.softplus(scores - scores[:, None])
    return (losses * ordered).sum() / ordered.sum().clamp(min=1)


def _head(inputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Dropout(_DROPOUT),
        nn.Linear(inputs, _WIDTH),
        nn.ReLU(),
        nn.Dropout(_DROPOUT),
        nn.Linear(_WIDTH, _WIDTH),
        nn.ReLU(),
        nn.Linear(_WIDTH, 1),
    )


def _standardised(scores: Tensor) -> Tensor:
    deviation, mean = torch.std_mean(scores.double())
    return (scores.double() - mean) / deviation.clamp(min=1e-12)
