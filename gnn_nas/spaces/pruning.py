"""Pruning: vertices that lie on no path from the input to the output are dropped."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import MAX_EDGES, MAX_VERTICES, SLOT_SOURCES, SLOT_TARGETS
from gnn_nas.spaces.packed import PackedCells, slot_ends


def prune(cells: PackedCells) -> tuple[PackedCells, Tensor]:
    """Drop every vertex that is not on a path from input to output (Ying et al. 2019).

    Shapes:
        - returns: the pruned `PackedCells` and bool ``[B]``, which of them are valid: input and
          output connected, at most nine edges. The others come back as arbitrary numbers.
    """
    device, count = cells.edges.device, len(cells)
    bits = cells.edge_bits().T
    forward = torch.zeros(MAX_VERTICES, count, dtype=torch.bool, device=device)
    backward = torch.zeros_like(forward)
    forward[0] = True
    backward.scatter_(0, cells.vertices[None] - 1, True)
    slots = list(enumerate(zip(SLOT_SOURCES, SLOT_TARGETS, strict=True)))
    for slot, (source, target) in slots:  # ascending targets: a topological order
        forward[target] |= bits[slot] & forward[source]
    for slot, (source, target) in reversed(slots):
        backward[source] |= bits[slot] & backward[target]
    kept = (forward & backward).T

    # Kept vertices move to the front in their old order; the dropped ones keep no edge.
    order = (~kept).int().argsort(dim=1, stable=True)
    adjacency = cells.adjacency() & kept[:, :, None] & kept[:, None, :]
    adjacency = adjacency.gather(1, order[:, :, None].expand_as(adjacency))
    adjacency = adjacency.gather(2, order[:, None, :].expand_as(adjacency))
    sources, targets = slot_ends(device)
    moved_bits = adjacency[:, sources, targets]
    edges = (moved_bits.long() << torch.arange(len(slots), device=device)).sum(1)
    vertices = kept.sum(1)

    ops = torch.nn.functional.pad(cells.ops, (1, 1)).gather(1, order)[:, 1:-1]
    pruned = PackedCells(vertices, edges, ops)
    pruned = replace(pruned, ops=torch.where(pruned.has_interior(), ops, 0))
    return pruned, (vertices >= 2) & (moved_bits.sum(1) <= MAX_EDGES)


def on_a_path(matrix: np.ndarray) -> list[int]:
    """Vertices on a path from the first to the last of a cell of any size, in their order.

    Shapes:
        - matrix: bool ``[V, V]``, strictly upper triangular
    """
    reached, reaching = np.zeros((2, len(matrix)), dtype=bool)
    reached[0] = reaching[-1] = True
    for vertex in range(1, len(matrix)):
        reached[vertex] |= (matrix[:, vertex] & reached).any()
    for vertex in reversed(range(len(matrix) - 1)):
        reaching[vertex] |= (matrix[vertex] & reaching).any()
    return (reached & reaching).nonzero()[0].tolist()
