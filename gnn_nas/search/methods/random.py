"""Random search: every cell is as likely as any other."""

import torch

from gnn_nas.models.controller import Controller
from gnn_nas.search.queries import Queries
from gnn_nas.search.settings import Random as Settings
from gnn_nas.spaces.table import CellTable


def search(
    queries: Queries,
    table: CellTable,
    controller: Controller,
    generator: torch.Generator,
    settings: Settings,
) -> None:
    """Query distinct cells, drawn uniformly."""
    order = torch.randperm(len(table), generator=generator)
    while queries.remaining:
        # One at a time, so that every query has a round of its own.
        queries.ask(order[:1])
        order = order[1:]
