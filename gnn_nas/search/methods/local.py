"""Local search: query the neighbours of the best cell, move to a better one, restart when stuck."""

from __future__ import annotations

from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from gnn_nas.config import Section
from gnn_nas.search.method import Method
from gnn_nas.search.observations import Observations
from gnn_nas.spaces.neighbours import neighbours


class Local(Method):
    """Climbs from the best of some random cells, one step at a time, the first improvement taken.

    (White et al. 2020, den Ottelander et al. 2020.) Neighbours are tried in random order. Cells
    that are told before the first proposal are where it begins, instead of random ones.
    """

    class Settings(Section):
        initial: int = Field(default=10, ge=1, description="random cells before each climb")

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._climb: list[int] = []
        """Rows of this climb, in their order; the best of them is where it stands."""
        self._standing: int | None = None
        self._around = torch.empty(0, dtype=torch.long)
        """Neighbours of where it stands, in the order in which they are tried."""

    def propose(self, seen: Observations, count: int | None = None) -> Tensor:
        if not self._climb:
            self._climb = seen.told.tolist()
        missing = self.settings.initial - len(self._climb)
        if missing > 0:
            return self._begun(seen.draw_fresh(min(count or missing, missing), self.generator))
        best = self._climb[seen.rewards_of(self._climb).argmax()]
        if best != self._standing:
            self._standing = best
            _, around = neighbours(self.table, torch.tensor([best]))
            self._around = around[torch.randperm(len(around), generator=self.generator)]
        fresh = self._around[~seen.taken[self._around]]
        if not len(fresh):
            self._climb, self._standing = [], None
            first = min(count or self.settings.initial, self.settings.initial)
            return self._begun(seen.draw_fresh(first, self.generator))
        # One at a time, so that the first improvement is taken.
        return self._begun(fresh[: count or 1])

    def _begun(self, rows: Tensor) -> Tensor:
        self._climb += rows.tolist()
        return rows

    def state_dict(self) -> dict[str, Any]:
        return {"climb": self._climb, "standing": self._standing, "around": self._around}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._climb = list(state["climb"])
        self._standing, self._around = state["standing"], state["around"]
