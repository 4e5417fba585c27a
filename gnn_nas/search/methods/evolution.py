"""Regularized evolution: the oldest dies, the fittest of a random few has a child."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor

from gnn_nas.config import Section
from gnn_nas.search.method import Method
from gnn_nas.search.observations import Observations
from gnn_nas.spaces.neighbours import neighbours


class Evolution(Method):
    """Evolves a population by mutations of one step each (Real et al. 2019).

    Alive are the cells that were told last. The child is a neighbour that was never asked for, all
    being equally likely. A cell whose evaluation failed lives as the least fit.
    """

    class Settings(Section):
        population: int = Field(default=50, ge=1, description="cells alive; at first, random ones")
        sample: int = Field(default=20, ge=1, description="cells of which the fittest has a child")

    def propose(self, seen: Observations, count: int | None = None) -> Tensor:
        missing = self.settings.population - len(seen)
        if missing > 0 or not len(seen.told):
            missing = max(missing, 1)
            return seen.draw_fresh(min(count or missing, missing), self.generator)
        rewards = seen.told_rewards[-self.settings.population :].nan_to_num(nan=-torch.inf)
        rows = seen.told[-self.settings.population :]
        alive = list(zip(rewards.tolist(), rows.tolist(), strict=True))
        drawn = torch.randperm(len(alive), generator=self.generator)[: self.settings.sample]
        parents = [row for _, row in sorted((alive[i] for i in drawn.tolist()), reverse=True)]
        owner, around = neighbours(self.table, torch.tensor(parents))
        fresh = ~seen.taken[around]
        if not bool(fresh.any()):
            return seen.draw_fresh(1, self.generator)
        owner, around = owner[fresh], around[fresh]
        # Owners ascend, so the first is the fittest that has a fresh neighbour.
        around = around[owner == owner[0]]
        return around[torch.randint(len(around), (1,), generator=self.generator)]
