"""The performance predictor at its best: what orders cells in different ways, averaged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from sklearn.ensemble import ExtraTreesRegressor
from torch import Tensor

from gnn_nas.evaluation.labels import gaussian_ranks
from gnn_nas.experiments.ranker import (
    HEAD_LR,
    DescriptorReader,
    GraphReader,
    Plan,
    Ranker,
    steps_per_epoch,
)
from gnn_nas.models.controller import Controller
from gnn_nas.models.surrogate import Surrogate
from gnn_nas.spaces.descriptors import num_descriptors
from gnn_nas.spaces.table import CellTable

PRETRAINED_LR, SCRATCH_LR = 3e-4, 1e-3
"""Learning rates of an encoder that is to keep what it knows, and of one that knows nothing."""

Score = Callable[[], Tensor]
"""Gives scores of all cells, ``[cells]``; their unit means nothing."""

_TREES, _SPLIT_COLUMNS = 200, 0.5
_FEW_PLAN = Plan(epochs=60, decay=0.05)
# From so many known cells on, networks tell most, and all their layers learn as fast as the head.
_MANY, _MANY_DECAY = 1000, 0.5
# Steps of a network then, and the least times that it sees every cell.
_MANY_STEPS, _LEAST_EPOCHS = 2000, 10
# Data that the process's hyperparameters are fitted to then.
_MANY_FITTED = 1200


class PredictorEnsemble:
    """Scores all cells once it has seen the rewards of a few; better cells score higher.

    It averages the standardised scores of a Gaussian process on the cells' descriptors and of
    copies of encoder and predictor that are fine-tuned to order the known cells. Where few cells
    are known, extremely randomised trees on the descriptors are a quarter (Geurts et al. 2006).
    From a thousand on, networks stand in their place that err elsewhere: such copies that begin
    with random weights, and networks on the descriptors.

    Args:
        controller: stays as it is; table: all cells.
        descriptors: of these, ``[N, columns]``, on the CPU: see
            `gnn_nas.spaces.descriptors`, `with_function` or without.
        members: number of networks of a kind, one at least.
        lr: learning rate of the copies' encoders, where fewer than a thousand cells are known.

    Attributes:
        parts: what was fitted: weights and the scores that share them.
    """

    parts: list[tuple[float, list[Score]]]

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
        if len(rows) < _MANY:
            self._fit_few(rows, targets, generator)
        else:
            self._fit_many(rows, targets, generator)

    @torch.no_grad()
    def predict_all(self) -> Tensor:
        """Scores of all cells, float64 ``[N]``, of mean 0."""
        parts = [
            weight * torch.stack([_standardised(score()) for score in scores]).mean(0)
            for weight, scores in self.parts
        ]
        return torch.stack(parts).sum(0)

    def _fit_few(self, rows: Tensor, targets: Tensor, generator: torch.Generator) -> None:
        process = self._fit_process(Surrogate(self.blocks), rows, targets)
        trees = ExtraTreesRegressor(
            _TREES,
            max_features=_SPLIT_COLUMNS,
            random_state=int(torch.randint(2**32, (), generator=generator)),
        ).fit(self.descriptors[rows].numpy(), targets.numpy())

        def copied() -> Ranker:
            return Ranker(GraphReader(self.controller, self.table, self.lr))

        # Trees alone order worse than the others, but err elsewhere.
        self.parts = [
            (0.5, [process]),
            (0.25, self._fit_rankers(copied, rows, targets, _FEW_PLAN, generator)),
            (0.25, [lambda: torch.from_numpy(trees.predict(self.descriptors.numpy()))]),
        ]

    def _fit_many(self, rows: Tensor, targets: Tensor, generator: torch.Generator) -> None:
        epochs = max(_MANY_STEPS // steps_per_epoch(rows), _LEAST_EPOCHS)
        plan = Plan(epochs, _MANY_DECAY)

        def copied() -> Ranker:
            return Ranker(GraphReader(self.controller, self.table, HEAD_LR))

        def begun_anew() -> Ranker:
            seed = int(torch.randint(2**62, (), generator=generator))
            controller = Controller(self.controller.config, seed, self.table.space)
            return Ranker(GraphReader(controller, self.table, HEAD_LR))

        def on_descriptors() -> Ranker:
            return Ranker(DescriptorReader(self.descriptors))

        process = self._fit_process(Surrogate(self.blocks, _MANY_FITTED), rows, targets)
        # Chosen on NAS-Bench-101, where copies begun anew are worth more, and NAS-Bench-201.
        self.parts = [
            (0.25, [process]),
            (0.35, self._fit_rankers(copied, rows, targets, plan, generator)),
            (0.2, self._fit_rankers(begun_anew, rows, targets, plan, generator)),
            (0.2, self._fit_rankers(on_descriptors, rows, targets, plan, generator)),
        ]

    def _fit_process(self, surrogate: Surrogate, rows: Tensor, targets: Tensor) -> Score:
        surrogate.fit(self.descriptors[rows], targets)
        return lambda: surrogate.predict_mean(self.descriptors)

    def _fit_rankers(
        self,
        make: Callable[[], Ranker],
        rows: Tensor,
        targets: Tensor,
        plan: Plan,
        generator: torch.Generator,
    ) -> list[Score]:
        def fitted() -> Score:
            ranker = make().fit(rows, targets, plan, generator)
            return lambda: ranker.score(torch.arange(len(self.table)))

        return [fitted() for _ in range(self.members)]


def with_function(descriptors: Tensor, controller: Controller, table: CellTable) -> Tensor:
    """Descriptors of all cells and, beside them, what a controller tells of their function.

    Shapes:
        - descriptors: ``[cells, columns]``; returns: ``[cells, columns + statistics]``
    """
    return torch.cat([descriptors, controller.tell_function(table).to(descriptors)], dim=1)


def _standardised(scores: Tensor) -> Tensor:
    deviation, mean = torch.std_mean(scores.double())
    return (scores.double() - mean) / deviation.clamp(min=1e-12)
