"""Predictor-guided search: score many cells by the surrogate, query the best of them."""

from collections.abc import Callable

import torch
from torch import Tensor

from gnn_nas.models.controller import Controller
from gnn_nas.search.embedded import EmbeddedCells
from gnn_nas.search.fresh import draw_fresh
from gnn_nas.search.queries import Queries
from gnn_nas.search.rewards import spread
from gnn_nas.search.settings import Predictor as Settings
from gnn_nas.search.surrogate import Surrogate
from gnn_nas.spaces.descriptors import NUM_PATTERNS, NUM_SHAPE
from gnn_nas.spaces.table import CellTable


def search(
    queries: Queries,
    table: CellTable,
    controller: Controller,
    generator: torch.Generator,
    settings: Settings,
) -> None:
    """Query the highest upper confidence bounds among random cells; nothing is decoded.

    (Wen et al. 2020, with the surrogate of `gnn_nas.search.methods.nao`.)
    """
    cells = EmbeddedCells(controller, table)
    query_highest_bounds(queries, cells.descriptors, generator, settings)


def query_highest_bounds(
    queries: Queries,
    descriptors: Callable[[Tensor], Tensor],
    generator: torch.Generator,
    settings: Settings,
) -> None:
    """Fit the surrogate to the cells asked for, score random ones, query the best; and again.

    Args:
        descriptors: of rows of the table, ``[N] -> [N, 141]``: what the surrogate sees of cells.
    """
    surrogate = Surrogate((NUM_SHAPE, NUM_PATTERNS))
    queries.ask(draw_fresh(queries, settings.initial, generator))
    while queries.remaining:
        rows = draw_fresh(queries, settings.scored, generator)
        if len(queries.rows) >= 2:
            surrogate.fit(descriptors(queries.rows), spread(queries.rewards))
            mean, deviation = surrogate.predict(descriptors(rows))
            rows = rows[(mean + settings.optimism * deviation).argsort(descending=True)]
        queries.ask(rows[: settings.candidates])
