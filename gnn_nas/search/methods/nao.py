"""NAO: ascend the predicted reward in embedding space, decode, query what looks best."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from gnn_nas.models.controller import Controller
from gnn_nas.search.embedded import EmbeddedCells
from gnn_nas.search.fresh import draw_fresh
from gnn_nas.search.queries import Queries
from gnn_nas.search.rewards import spread
from gnn_nas.search.settings import Nao as Settings
from gnn_nas.search.surrogate import Surrogate
from gnn_nas.spaces.descriptors import NUM_PATTERNS, NUM_SHAPE
from gnn_nas.spaces.neighbours import neighbours
from gnn_nas.spaces.table import CellTable


def search(
    queries: Queries,
    table: CellTable,
    controller: Controller,
    generator: torch.Generator,
    settings: Settings,
) -> None:
    """Search with the controller as it was pretrained (paper, section 3; Luo et al. 2018).

    Encoder, decoder and the predictor's pretrained half are kept; what a round fits is a Gaussian
    process on the descriptors they tell of a cell. The ascent climbs its upper confidence bound
    through them, from the best cells and from random ones.
    """
    controller.requires_grad_(False)
    cells = EmbeddedCells(controller, table)
    surrogate = Surrogate((NUM_SHAPE, NUM_PATTERNS))
    queries.ask(draw_fresh(queries, settings.initial, generator))
    while queries.remaining:
        fresh = draw_fresh(queries, settings.restarts, generator)
        if len(queries.rows) < 2:
            queries.ask(fresh[: settings.candidates])
            continue
        surrogate.fit(cells.descriptors(queries.rows), spread(queries.rewards))

        def bound(descriptors: Tensor) -> Tensor:
            mean, deviation = surrogate.predict(descriptors)
            return mean + settings.optimism * deviation

        best = queries.rows[queries.rewards.argsort(descending=True)[: settings.seeds]]
        starts = cells.embed(torch.cat([best, fresh]))
        found = _ascend(controller, table, starts, bound, settings)
        found = torch.cat([found, fresh]).unique()
        found = found[~queries.asked[found]]
        ranked = found[bound(cells.descriptors(found)).argsort(descending=True)]
        if len(queries.rows) - queries.rewards.argmax() > settings.patience:
            queries.ask(_widen(queries, table, cells, surrogate, ranked, generator, settings))
        else:
            queries.ask(ranked[: settings.candidates])


def _ascend(controller, table, position, bound, settings) -> Tensor:
    """Rows of all valid cells met on the way up from embeddings, ``[N, embedding]``."""
    met = []
    for _ in range(settings.steps):
        position.requires_grad_(True)
        heights = bound(controller.predictor.predict_descriptors(position))
        (slope,) = torch.autograd.grad(heights.sum(), position)
        with torch.no_grad():
            slope -= (slope * position).sum(1, keepdim=True) * position
            position = normalize(position + settings.step_size * normalize(slope, dim=1), dim=1)
        cells, valid = controller.decode(position)
        met.append(table.rows_of(cells[valid]))
    return torch.cat(met)


def _widen(queries, table, cells, surrogate, ranked, generator, settings) -> Tensor:
    """Draw most of a round from all promising cells met so far, instead of the very best.

    Where the top is known, what is left to find are cells much better than predicted, and what the
    surrogate lacks to predict them is a wider sample of good cells (Wu et al. 2021, WeakNAS). It is
    drawn from as many cells as there are queries left, so that it narrows to the best ones. What
    lies one edit away from them is met as well.
    """
    count = settings.wide_candidates
    drawn = round(settings.share * count)
    kept = ranked[: count - drawn]
    taken = queries.asked.clone()
    taken[kept] = True

    def promising() -> Tensor:
        pool = (cells.met & ~taken).nonzero().flatten()
        mean = surrogate.predict_mean(cells.descriptors(pool))
        return pool[mean.argsort(descending=True)[: max(queries.remaining, count)]]

    _, edited = neighbours(table, promising())
    cells.embed(edited)
    pool = promising()
    order = torch.randperm(len(pool), generator=generator)
    return torch.cat([kept, pool[order[:drawn]]])
