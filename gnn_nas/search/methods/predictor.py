"""Predictor-guided search: score many cells by the surrogate, query the best of them."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from gnn_nas.search.guided import GuidedMethod
from gnn_nas.search.observations import Observations


class Predictor(GuidedMethod):
    """Proposes the highest upper confidence bounds among random cells; nothing is decoded.

    (Wen et al. 2020, with the surrogate of `gnn_nas.search.methods.nao`.)
    """

    class Settings(GuidedMethod.Settings):
        scored: int = Field(default=20_000, ge=1, description="random cells scored in a round")

    def _round(self, seen: Observations, count: int | None) -> Tensor:
        fresh = seen.draw_fresh(self.settings.scored, self.generator)
        best = self.bound(self.cells.descriptors(fresh)).argsort(descending=True)
        return fresh[best[: count or self.settings.candidates]]
