"""The performance predictor at its best: what orders cells in different ways, averaged."""

from __future__ import annotations

from collections.abc import Callable

import torch
from sklearn.ensemble import ExtraTreesRegressor
from torch import Tensor

from gnn_nas.evaluation.labels import gaussian_ranks
from gnn_nas.experiments.ranker import (
    DescriptorReader,
    GraphReader,
    Plan,
    Ranker,
    num_batches,
    wide_head,
)
from gnn_nas.models.controller import Controller
from gnn_nas.models.surrogate import Surrogate
from gnn_nas.spaces.descriptors import num_descriptors
from gnn_nas.spaces.table import CellTable

PRETRAINED_LR, SCRATCH_LR = 3e-4, 1e-3
"""Learning rates of an encoder that is to keep what it knows, and of one that knows nothing."""

Score = Callable[[Tensor], Tensor]
"""Scores of rows of the cell table, ``[N] -> [N]``; their unit means nothing."""

_TREES, _SPLIT_COLUMNS = 200, 0.5
_FEW_EPOCHS, _FEW_DECAY = 60, 0.05
# From so many known cells on networks tell most, and all their layers learn as fast as the head.
_MANY = 1000
_MANY_LR, _MANY_DECAY = 3e-3, 0.5
# Steps of a network then, and the least times that it sees every cell.
_MANY_STEPS, _LEAST_EPOCHS = 2000, 10
# Data that the process's hyperparameters are fitted to then: a step of that costs their cube.
_MANY_FITTED = 1200


class PredictorEnsemble:
    """Scores all cells once it has seen the rewards of a few; better cells score higher.

    It averages the standardised scores of a Gaussian process on the cells' descriptors and of
    copies of encoder and predictor that are fine-tuned to order the known cells. Where few cells
    are known, extremely randomised trees on the descriptors are a quarter (Geurts et al. 2006);
    from a thousand on there are, in their place, copies that begin with what nothing was learnt by
    and networks on the descriptors, which err elsewhere.

    Args:
        controller: stays as it is; table: all cells.
        descriptors: of these, ``[N, columns]``, on the CPU: see
            `gnn_nas.spaces.descriptors`; what a controller tells of their function may follow.
        members: number of networks of a kind, one at least.
        lr: learning rate of the copies' encoders, where fewer than a thousand cells are known.

    Attributes:
        parts: what was fitted: a weight and the scores that share it.
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

    def predict_all(self) -> Tensor:
        """Scores of all cells, float64 ``[N]``, of mean 0."""
        return self._average(torch.arange(len(self.table)))

    def _fit_few(self, rows: Tensor, targets: Tensor, generator: torch.Generator) -> None:
        plan = Plan(self.lr, _FEW_EPOCHS, _FEW_DECAY)
        process = self._process(rows, targets)
        trees = ExtraTreesRegressor(
            _TREES,
            max_features=_SPLIT_COLUMNS,
            random_state=int(torch.randint(2**32, (), generator=generator)),
        ).fit(self.descriptors[rows].numpy(), targets.numpy())
        copies = [
            Ranker(GraphReader(self.controller, self.table)).fit(rows, targets, plan, generator)
            for _ in range(self.members)
        ]
        self.parts = [
            (0.5, [process]),
            (0.25, [copied.score for copied in copies]),
            (0.25, [lambda rows: torch.from_numpy(trees.predict(self.descriptors[rows].numpy()))]),
        ]

    def _fit_many(self, rows: Tensor, targets: Tensor, generator: torch.Generator) -> None:
        epochs = max(_MANY_STEPS // num_batches(rows), _LEAST_EPOCHS)
        plan = Plan(_MANY_LR, epochs, _MANY_DECAY)

        def copied() -> Ranker:
            return Ranker(GraphReader(self.controller, self.table))

        def begun_anew() -> Ranker:
            seed = int(torch.randint(2**62, (), generator=generator))
            controller = Controller(self.controller.config, seed, self.table.space).eval()
            return Ranker(GraphReader(controller, self.table))

        def on_descriptors() -> Ranker:
            return Ranker(DescriptorReader(self.descriptors), wide_head)

        self.parts = [(0.25, [self._process(rows, targets, _MANY_FITTED)])]
        for weight, make in ((0.35, copied), (0.2, begun_anew), (0.2, on_descriptors)):
            rankers = [make().fit(rows, targets, plan, generator) for _ in range(self.members)]
            self.parts.append((weight, [ranker.score for ranker in rankers]))

    def _process(self, rows: Tensor, targets: Tensor, *fitted: int) -> Score:
        surrogate = Surrogate(self.blocks, *fitted)
        surrogate.fit(self.descriptors[rows], targets)
        return lambda rows: surrogate.predict_mean(self.descriptors[rows])

    def _average(self, rows: Tensor) -> Tensor:
        parts = [
            weight * torch.stack([_standardised(score(rows)) for score in scores]).mean(0)
            for weight, scores in self.parts
        ]
        return torch.stack(parts).sum(0)


def _standardised(scores: Tensor) -> Tensor:
    deviation, mean = torch.std_mean(scores.double())
    return (scores.double() - mean) / deviation.clamp(min=1e-12)
