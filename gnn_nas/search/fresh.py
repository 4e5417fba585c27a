"""Cells that a search has not asked for yet."""

import torch
from torch import Tensor

from gnn_nas.search.queries import Queries


def draw_fresh(queries: Queries, count: int, generator: torch.Generator) -> Tensor:
    """Draw distinct cells uniformly from all that were never asked for; fewer where few are left.

    Shapes:
        - returns: int64 ``[N]``, ``N <= count``, rows of the cell table in random order
    """
    fresh = (~queries.asked).nonzero().flatten()
    return fresh[torch.randperm(len(fresh), generator=generator)[:count]]
