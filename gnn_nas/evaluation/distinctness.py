"""How many of the search space's cells an encoder tells apart."""

import copy

import torch
from torch import Tensor

from gnn_nas.models.controller import Controller
from gnn_nas.spaces.table import CellTable

_TOLERANCE = 1e-6
# Pairs of points compared at a time.
_CHUNK = 1 << 15


def distinct_embeddings(controller: Controller, table: CellTable) -> int:
    """Count the cells of the space whose float64 embeddings are distinct, see `count_distinct`.

    423,624 means that all cells are told apart.
    """
    return count_distinct(copy.deepcopy(controller).double().encode_rows(table), _TOLERANCE)


def count_distinct(points: Tensor, tolerance: float) -> int:
    """Count the points that have no earlier one within a Euclidean distance of ``tolerance``.

    Earlier is meant along a random line. Points are no farther apart there than in space, so only
    neighbours on the line have to be compared, and few of them even where many points coincide.

    Shapes:
        - points: float64 ``[N, D]``
    """
    generator = torch.Generator(points.device).manual_seed(0)
    line = torch.randn(
        points.shape[1], generator=generator, device=points.device, dtype=points.dtype
    )
    places, order = (points @ (line / line.norm())).sort()
    within = tolerance + 1e-12  # rounding of the places
    remaining, left = torch.arange(len(points), device=points.device), len(points)
    back = 0
    while True:
        back += 1
        remaining = remaining[remaining >= back]
        remaining = remaining[places[remaining] - places[remaining - back] <= within]
        if not len(remaining):
            return left
        pairs = zip(
            order[remaining].split(_CHUNK), order[remaining - back].split(_CHUNK), strict=True
        )
        distances = [(points[one] - points[other]).norm(dim=1) for one, other in pairs]
        apart = torch.cat(distances) > tolerance
        left -= len(remaining) - int(apart.sum())
        remaining = remaining[apart]
