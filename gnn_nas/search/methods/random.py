"""Random search: every cell is as likely as any other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gnn_nas.search.method import Method
from gnn_nas.search.observations import Observations


class Random(Method):
    """Proposes distinct cells, drawn uniformly."""

    _order: Tensor | None = None

    def propose(self, seen: Observations, count: int | None = None) -> Tensor:
        if not self.table.is_complete:
            return seen.draw_fresh(count or 1, self.generator)
        if self._order is None:
            self._order = torch.randperm(len(self.table), generator=self.generator)
        # One at a time, so that every query of a command has a round of its own.
        return self._order[~seen.taken[self._order]][: count or 1]

    def state_dict(self) -> dict[str, Any]:
        return {"order": self._order}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._order = state["order"]
