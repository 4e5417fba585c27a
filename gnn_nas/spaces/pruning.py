"""Pruning: vertices that lie on no path from the input to the output are dropped.

A space may say more of what does nothing: its ``reduction`` is a function of pruned `PackedCells`
that returns the cells to which they are reduced, each of them its own reduction, and which of them
are valid, as `prune` does.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from gnn_nas.references import resolve
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.sources import has_exact_sources
from gnn_nas.spaces.space import CellSpace


def prune(cells: PackedCells) -> tuple[PackedCells, Tensor]:
    """Drop every vertex that is not on a path from input to output (Ying et al. 2019).

    Where the space has a reduction, that is made as well.

    Shapes:
        - returns: the pruned `PackedCells` and bool ``[B]``, which of them are valid: input and
          output connected, no more edges than allowed, and as many into every op as the space says;
          what the others become is undefined
    """
    bits, space = cells.edge_bits().T, cells.space
    forward = torch.zeros(space.max_vertices, len(cells), dtype=torch.bool, device=bits.device)
    backward = torch.zeros_like(forward)
    forward[0] = True
    backward.scatter_(0, cells.vertices[None] - 1, True)
    slots = list(enumerate(space.slots))
    for slot, (source, target) in slots:  # ascending targets: a topological order
        forward[target] |= bits[slot] & forward[source]
    for slot, (source, target) in reversed(slots):
        backward[source] |= bits[slot] & backward[target]
    kept = (forward & backward).T
    # Kept vertices move to the front in their old order.
    order = (~kept).int().argsort(dim=1, stable=True)
    pruned = cells.renumbered(order, kept.sum(1))
    valid = (pruned.vertices >= 2) & (pruned.edge_bits().sum(1) <= space.max_edges)
    if space.in_edges:
        valid &= has_exact_sources(pruned)
    if space.reduction:
        pruned, stands = _reduction(space)(pruned)
        valid &= stands
    return pruned, valid


@cache
def _reduction(space: CellSpace) -> Callable[[PackedCells], tuple[PackedCells, Tensor]]:
    return resolve(space.reduction or "", f"reduction of {space.name}")


def on_a_path(sources: Sequence[int]) -> list[int]:
    """Vertices on a path from the first to the last of one cell of any size, in their order.

    In plain integers, which takes microseconds.

    Args:
        sources: every vertex's in-neighbours as bits, all of them lower vertices.
    """
    last = len(sources) - 1
    forward, backward = 1, 1 << last
    for vertex in range(1, last + 1):
        if sources[vertex] & forward:
            forward |= 1 << vertex
    for vertex in range(last, 0, -1):
        if backward >> vertex & 1:
            backward |= sources[vertex]
    kept = forward & backward
    return [vertex for vertex in range(last + 1) if kept >> vertex & 1]


def sources_of(matrix: np.ndarray) -> list[int]:
    """In-neighbours for `on_a_path`.

    Shapes:
        - matrix: bool ``[V, V]``, strictly upper triangular
    """
    return [sum(1 << int(x) for x in column.nonzero()[0]) for column in matrix.T]
