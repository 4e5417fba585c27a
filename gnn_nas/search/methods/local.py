"""Local search: query the neighbours of the best cell, move to a better one, restart when stuck."""

import torch
from torch import Tensor

from gnn_nas.models.controller import Controller
from gnn_nas.search.fresh import draw_fresh
from gnn_nas.search.queries import Queries
from gnn_nas.search.settings import Local as Settings
from gnn_nas.spaces.neighbours import neighbours
from gnn_nas.spaces.table import CellTable


def search(
    queries: Queries,
    table: CellTable,
    controller: Controller,
    generator: torch.Generator,
    settings: Settings,
) -> None:
    """Climb from the best of some random cells, one step at a time, the first improvement taken.

    (White et al. 2020, den Ottelander et al. 2020.) Neighbours are tried in random order.
    """
    while queries.remaining:
        start = draw_fresh(queries, settings.initial, generator)
        rewards = queries.ask(start).nan_to_num(nan=-torch.inf)
        current, best = start[rewards.argmax()], rewards.max()
        while (step := _improve(queries, table, current, best, generator)) is not None:
            current, best = step


def _improve(
    queries: Queries,
    table: CellTable,
    current: Tensor,
    best: Tensor,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor] | None:
    """Query neighbours until one is better; none where all are asked or the budget is spent."""
    _, around = neighbours(table, current[None])
    around = around[torch.randperm(len(around), generator=generator)]
    for row in around[~queries.asked[around]]:
        if not queries.remaining:
            return None
        reward = queries.ask(row[None])[0]
        if reward > best:
            return row, reward
    return None
