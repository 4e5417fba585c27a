"""What the methods share that are guided by a surrogate of the rewards."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import Field
from torch import Tensor

from gnn_nas.config import Section
from gnn_nas.search.method import Method
from gnn_nas.search.observations import Observations
from gnn_nas.search.rewards import spread
from gnn_nas.search.surrogate import Surrogate
from gnn_nas.spaces.descriptors import NUM_PATTERNS, NUM_SHAPE


class Described(Protocol):
    """Cells as the surrogate sees them."""

    def descriptors(self, rows: Tensor) -> Tensor:
        """Descriptors of rows of the table, true or predicted, ``[N] -> [N, 141]``."""

    def state_dict(self) -> dict[str, Any]:
        """What the descriptors depend on beside the rows."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Give the descriptors that another would."""


class GuidedMethod(Method):
    """Random cells first; then those of which a Gaussian process on descriptors expects most.

    The rewards that it learns from are stretched by `gnn_nas.search.rewards.spread`. For pending
    cells it takes what it predicts, so that it does not look where others are looking.
    """

    class Settings(Section):
        initial: int = Field(default=16, ge=2, description="random cells to begin with")
        candidates: int = Field(default=8, ge=1, description="cells queried in a round")
        optimism: float = Field(
            default=1.0, ge=0, description="weight of the surrogate's uncertainty beside its mean"
        )

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.surrogate = Surrogate((NUM_SHAPE, NUM_PATTERNS))
        self.cells = self._described()

    def _described(self) -> Described:
        raise NotImplementedError

    def _drawn(self) -> int:
        """Random cells that a round looks at."""
        raise NotImplementedError

    def _ranked(self, seen: Observations, fresh: Tensor, count: int | None) -> Tensor:
        """A round, the most promising first, where the surrogate is fitted and ``fresh`` drawn."""
        raise NotImplementedError

    def propose(self, seen: Observations, count: int | None = None) -> Tensor:
        missing = self.settings.initial - len(seen)
        if missing > 0:
            return seen.draw_fresh(min(count or missing, missing), self.generator)
        fresh = seen.draw_fresh(self._drawn(), self.generator)
        if len(seen.rows) < 2:
            return fresh[: count or self.settings.candidates]
        self.surrogate.fit(self.cells.descriptors(seen.rows), spread(seen.rewards))
        if len(seen.pending):
            self.surrogate.believe(self.cells.descriptors(seen.pending))
        return self._ranked(seen, fresh, count)

    def bound(self, descriptors: Tensor) -> Tensor:
        """The upper confidence bound at descriptors, ``[N, 141] -> [N]`` (Srinivas et al. 2010)."""
        mean, deviation = self.surrogate.predict(descriptors)
        return mean + self.settings.optimism * deviation

    def state_dict(self) -> dict[str, Any]:
        return {"surrogate": self.surrogate.state_dict(), "cells": self.cells.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.surrogate.load_state_dict(state["surrogate"])
        self.cells.load_state_dict(state["cells"])
