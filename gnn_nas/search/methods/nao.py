"""NAO: ascend the predicted reward in embedding space, decode, query what looks best."""

from __future__ import annotations

import functools

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import normalize

from gnn_nas.models.surrogate import Surrogate
from gnn_nas.search.guided import EmbeddedCells, GuidedMethod, spread
from gnn_nas.search.observations import Observations
from gnn_nas.spaces.descriptors import Describer, open_descriptors
from gnn_nas.spaces.neighbours import neighbours

# How many times as many cells as are drawn from in the widened search are looked at more closely.
_SHORTLIST = 4


class Nao(GuidedMethod):
    """Searches with the controller as it was pretrained (paper, section 3; Luo et al. 2018).

    Encoder, decoder and the predictor's pretrained half are kept; what a round fits is a Gaussian
    process on the descriptors that they predict of a cell. The ascent climbs its upper confidence
    bound through them, from the best cells and from random ones.
    """

    class Settings(GuidedMethod.Settings):
        # The defaults are the best found on NAS-Bench-101.
        seeds: int = Field(
            default=48, ge=1, description="best cells so far that the ascent starts at"
        )
        restarts: int = Field(
            default=240, ge=1, description="random cells that it starts at as well"
        )
        steps: int = Field(
            default=12, ge=1, description="steps of the ascent, each of them decoded"
        )
        step_size: float = Field(
            default=0.1, gt=0, description="length of a step on the unit sphere"
        )
        patience: int = Field(
            default=100, ge=1, description="queries without a better cell before the search widens"
        )
        wide_candidates: int = Field(
            default=32, ge=1, description="cells queried in a round of the widened search"
        )
        share: float = Field(
            default=0.8, ge=0, le=1, description="share of these drawn from all promising cells met"
        )

    cells: EmbeddedCells

    def _round(self, seen: Observations, count: int | None) -> Tensor:
        fresh = seen.draw_fresh(self.settings.restarts, self.generator)
        best = seen.rows[seen.rewards.argsort(descending=True)[: self.settings.seeds]]
        found = self._ascend(self.cells.meet(torch.cat([best, fresh])))
        found = torch.cat([found, fresh]).unique()
        found = found[~seen.taken[found]]
        ranked = found[self.bound(self.cells.descriptors(found)).argsort(descending=True)]
        if len(seen.rows) - seen.rewards.argmax() <= self.settings.patience:
            return ranked[: count or self.settings.candidates]
        wide = self._widened(seen, ranked)
        if count is None:
            return wide
        # Part of a wide round has its mixture.
        return wide[torch.randperm(len(wide), generator=self.generator)[:count]]

    def _ascend(self, position: Tensor) -> Tensor:
        """Rows of all valid cells on the way up from embeddings, ``[N, embedding]``."""
        found = []
        for _ in range(self.settings.steps):
            position.requires_grad_(True)
            heights = self.bound(self.controller.predictor.predict_descriptors(position))
            (slope,) = torch.autograd.grad(heights.sum(), position)
            with torch.no_grad():
                slope -= (slope * position).sum(1, keepdim=True) * position
                step = self.settings.step_size * normalize(slope, dim=1)
                position = normalize(position + step, dim=1)
            cells, valid = self.controller.decode(position)
            found.append(self.table.rows_of(cells[valid]))
        return torch.cat(found)

    def _widened(self, seen: Observations, ranked: Tensor) -> Tensor:
        """Draw most of a round from all promising cells met so far, instead of the very best.

        Where the top is known, what is left to find are cells much better than predicted, and what
        the surrogate lacks to predict them is a wider sample of good cells (Wu et al. 2021,
        WeakNAS). It is drawn from as many cells as there are queries left, so that it narrows to
        the best ones: of a few times as many by a second surrogate that looks at them more closely.
        What lies one edit away from them is met as well.
        """
        count = self.settings.wide_candidates
        drawn = round(self.settings.share * count)
        kept, most = ranked[: count - drawn], max(seen.horizon, count)
        closer = Surrogate((*self.cells.blocks, self.controller.encoder.embedding_size))
        closer.fit(self._closely(seen.rows), spread(seen.rewards))

        def promising() -> Tensor:
            pool = self.cells.met
            pool = pool[~(seen.taken[pool] | torch.isin(pool, kept))]
            mean = self.surrogate.predict_mean(self.cells.descriptors(pool))
            pool = pool[mean.argsort(descending=True)[: _SHORTLIST * most]]
            mean = closer.predict_mean(self._closely(pool))
            return pool[mean.argsort(descending=True)[:most]]

        _, edited = neighbours(self.table, promising())
        self.cells.meet(edited[~seen.taken[edited]])
        pool = promising()
        order = torch.randperm(len(pool), generator=self.generator)
        return torch.cat([kept, pool[order[:drawn]]])

    def _closely(self, rows: Tensor) -> Tensor:
        """All that is known of cells: exact descriptors, what is told of function, embeddings."""
        exact = self._describe(self.table, rows)
        function = self.cells.descriptors(rows)[:, exact.shape[1] :]
        return torch.cat([exact.to(function), function, self.cells.meet(rows)], dim=1)

    @functools.cached_property
    def _describe(self) -> Describer:
        """Opened by the first widened round: few searches come so far, and it takes seconds."""
        return open_descriptors(self.table)
