"""Regularized evolution: the oldest dies, the fittest of a random few has a child."""

from collections import deque

import torch
from torch import Tensor

from gnn_nas.models.controller import Controller
from gnn_nas.search.fresh import draw_fresh
from gnn_nas.search.queries import Queries
from gnn_nas.search.settings import Evolution as Settings
from gnn_nas.spaces.neighbours import neighbours
from gnn_nas.spaces.table import CellTable


def search(
    queries: Queries,
    table: CellTable,
    controller: Controller,
    generator: torch.Generator,
    settings: Settings,
) -> None:
    """Evolve a population by mutations of one step each (Real et al. 2019).

    The child is a neighbour that was never asked for, all being equally likely. A cell whose
    evaluation failed lives as the least fit.
    """
    population: deque[tuple[float, int]] = deque(maxlen=settings.population)
    children = draw_fresh(queries, settings.population, generator)
    while True:
        rewards = queries.ask(children).nan_to_num(nan=-torch.inf)
        population.extend(zip(rewards.tolist(), children.tolist(), strict=False))
        if not queries.remaining:
            return
        drawn = torch.randperm(len(population), generator=generator)[: settings.sample]
        fittest_first = sorted((population[i] for i in drawn.tolist()), reverse=True)
        parents = torch.tensor([row for _, row in fittest_first])
        children = _mutate(queries, table, parents, generator)


def _mutate(
    queries: Queries, table: CellTable, parents: Tensor, generator: torch.Generator
) -> Tensor:
    """A fresh neighbour of the first parent that has one, else any fresh cell, int64 ``[1]``."""
    owner, around = neighbours(table, parents)
    fresh = ~queries.asked[around]
    if not bool(fresh.any()):
        return draw_fresh(queries, 1, generator)
    owner, around = owner[fresh], around[fresh]
    # Owners ascend, so the first is the fittest that is left.
    around = around[owner == owner[0]]
    return around[torch.randint(len(around), (1,), generator=generator)]
