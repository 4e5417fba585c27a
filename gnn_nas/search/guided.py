"""What the methods share that are guided by a surrogate of the rewards."""

from __future__ import annotations

from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from gnn_nas.config import Section
from gnn_nas.models.controller import Controller
from gnn_nas.models.surrogate import Surrogate
from gnn_nas.search.method import Method
from gnn_nas.search.observations import Observations
from gnn_nas.spaces.index import CellIndex

# Of the statistics of untrained networks, what a good cell has much of in the literature.
_FLOW = "synflow"


class GuidedMethod(Method):
    """Random cells first; then those of which a Gaussian process on their figures expects most.

    Where the controller tells the SynFlow of cells, the first are those of them that have most.

    The rewards that it learns from are stretched by `spread`. For pending cells it takes what it
    predicts, so that it does not look where others are looking.
    """

    needs_controller = True

    class Settings(Section):
        initial: int = Field(default=16, ge=2, description="cells to begin with")
        warm_up: int = Field(
            default=5,
            ge=1,
            description="random cells drawn for each that a search begins with: those are taken"
            " that are told to have most SynFlow (Abdelfattah et al. 2021), where it is told",
        )
        candidates: int = Field(default=8, ge=1, description="cells queried in a round")
        optimism: float = Field(
            default=1.5, ge=0, description="weight of the surrogate's uncertainty beside its mean"
        )

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.cells = self._described()
        self.surrogate = Surrogate(self.cells.blocks)

    def _described(self) -> Any:
        """What gives the descriptors of cells, and their ``blocks``, the last of ``statistics``.

        By default it is what the controller predicts.
        """
        self.controller.requires_grad_(False)
        return EmbeddedCells(self.controller, self.table)

    def _round(self, seen: Observations, count: int | None) -> Tensor:
        """A proposal, where the surrogate is fitted."""
        raise NotImplementedError

    def propose(self, seen: Observations, count: int | None = None) -> Tensor:
        missing = self.settings.initial - len(seen)
        if missing > 0:
            return self._initial(seen, min(count or missing, missing))
        if len(seen.rows) < 2:
            return seen.draw_fresh(count or self.settings.candidates, self.generator)
        self.surrogate.fit(self.cells.descriptors(seen.rows), spread(seen.rewards))
        if len(seen.pending):
            self.surrogate.believe(self.cells.descriptors(seen.pending))
        return self._round(seen, count)

    def _initial(self, seen: Observations, count: int) -> Tensor:
        """Random cells to begin with, of which it is told that much flows through them.

        Those that are left out are met, so that a widened search may come back to them.
        """
        if self.settings.warm_up == 1 or _FLOW not in self.cells.statistics:
            return seen.draw_fresh(count, self.generator)
        drawn = seen.draw_fresh(self.settings.warm_up * count, self.generator)
        told = self.cells.descriptors(drawn)[:, -len(self.cells.statistics) :]
        flow = told[:, self.cells.statistics.index(_FLOW)]
        return drawn[flow.argsort(descending=True)[:count]]

    def bound(self, descriptors: Tensor) -> Tensor:
        """The upper confidence bound at descriptors, ``[N, C] -> [N]`` (Srinivas et al. 2010)."""
        mean, deviation = self.surrogate.predict(descriptors)
        return mean + self.settings.optimism * deviation

    def state_dict(self) -> dict[str, Any]:
        return {"surrogate": self.surrogate.state_dict(), "cells": self.cells.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.surrogate.load_state_dict(state["surrogate"])
        self.cells.load_state_dict(state["cells"])


class EmbeddedCells:
    """Embeddings of the cells met so far; with the encoder kept, each is computed once.

    Args:
        controller: its encoder and its predictor's pretrained half must not change meanwhile.
    """

    def __init__(self, controller: Controller, table: CellIndex) -> None:
        self.blocks = controller.predictor.blocks
        self.statistics = controller.predictor.statistics
        self._controller = controller
        self._table = table
        self._forget()

    def _forget(self) -> None:
        self._met = torch.zeros(len(self._table), dtype=torch.bool)
        self._embeddings = torch.empty(len(self._table), self._controller.encoder.embedding_size)

    @property
    def met(self) -> Tensor:
        """Rows that were ever given to `meet` or `descriptors`, ascending, int64 ``[N]``."""
        return self._met.nonzero().flatten()

    def meet(self, rows: Tensor) -> Tensor:
        """Embeddings of rows of cells, ``[N] -> [N, embedding]``; they are met from then on."""
        if len(self._met) < len(self._table):
            # Twice as many, as a registry grows often.
            added = max(len(self._table), 2 * len(self._met)) - len(self._met)
            self._met = torch.cat([self._met, self._met.new_zeros(added)])
            more = self._embeddings.new_empty(added, self._embeddings.shape[1])
            self._embeddings = torch.cat([self._embeddings, more])
        new = rows[~self._met[rows]].unique()
        if len(new):
            self._embeddings[new] = self._controller.encode_rows(self._table, new)
            self._met[new] = True
        return self._embeddings[rows]

    @torch.no_grad()
    def descriptors(self, rows: Tensor) -> Tensor:
        """What the controller predicts of rows of cells, which are met then, ``[N, columns]``."""
        return self._controller.predictor.predict_descriptors(self.meet(rows))

    def state_dict(self) -> dict[str, Any]:
        """The embeddings themselves: computed in other batches they would differ in last bits."""
        return {"rows": self.met, "embeddings": self._embeddings[self.met]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Have met what another had met, and nothing else."""
        self._forget()
        self._met[state["rows"]] = True
        self._embeddings[state["rows"]] = state["embeddings"]


def spread(rewards: Tensor) -> Tensor:
    """Stretch the upper end, where a search has to tell cells apart: ``-log(c - reward)``.

    ``c`` lies above the best reward by half the distance between the best and the median, so the
    result depends on neither the unit nor the origin of the rewards.

    Shapes:
        - rewards: ``[N]``; returns: ``[N]``
    """
    best = rewards.max()
    # The smallest margin must not vanish beside a large reward.
    least = max(1e-12, 1e-14 * abs(best.item()))
    margin = (best - rewards.median()).clamp(min=least) / 2
    return -torch.log(best + margin - rewards)
