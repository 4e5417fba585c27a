"""Enumeration of the whole search space: every matrix, every labelling, every distinct cell."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import (
    MAX_EDGES,
    MAX_INTERIOR,
    MAX_VERTICES,
    NUM_SLOTS,
    OPS,
    SLOT_SOURCES,
    SLOT_TARGETS,
)
from gnn_nas.spaces.packed import PackedCells

# Forms hashed at a time.
_CHUNK = 1 << 16
# Two rounds separate all 423,624 cells; one round leaves 422,814 classes.
_ROUNDS = 2
# By feature; the last is that of no vertex.
_LABELS = (-1, *range(1, len(OPS) + 1), -2, 0)


def enumerate_matrices() -> tuple[np.ndarray, np.ndarray]:
    """All upper-triangular matrices that need no pruning and have at most nine edges.

    Ascending edge bitmasks are the official enumeration order, since a cell of more vertices has a
    higher top bit: its output needs an in-edge.

    Returns:
        edge bitmasks, int32 ``[6472]``, and vertex counts, int8 ``[6472]``
    """
    masks = np.arange(1, 1 << NUM_SLOTS, dtype=np.int32)
    masks = masks[np.bitwise_count(masks) <= MAX_EDGES]
    out_edge = np.zeros((MAX_VERTICES, len(masks)), dtype=bool)
    in_edge = np.zeros_like(out_edge)
    for slot, (source, target) in enumerate(zip(SLOT_SOURCES, SLOT_TARGETS, strict=True)):
        present = (masks >> slot) & 1 != 0
        out_edge[source] |= present
        in_edge[target] |= present
    # The last vertex with an in-edge is the output.
    vertices = MAX_VERTICES - np.argmax(in_edge[::-1], axis=0)
    number = np.arange(MAX_VERTICES)[:, None]
    connected = (out_edge | (number >= vertices - 1)) & (in_edge | (number == 0))
    kept = (connected | (number >= vertices)).all(0)
    return masks[kept], vertices[kept].astype(np.int8)


def enumerate_forms(masks: np.ndarray, vertices: np.ndarray) -> PackedCells:
    """Every labelling of every matrix, in the order of ``itertools.product`` over the ops.

    Returns:
        the 1,293,208 labelled forms; form ``f`` of matrix ``m`` is its ops read as a number in
        base 3, after the forms of all matrices before it
    """
    labellings = len(OPS) ** (vertices.astype(np.int64) - 2)
    matrix = np.repeat(np.arange(len(masks)), labellings)
    code = np.arange(len(matrix)) - np.repeat(np.cumsum(labellings) - labellings, labellings)
    interior = vertices[matrix].astype(np.int64) - 2
    ops = np.zeros((len(matrix), MAX_INTERIOR), dtype=np.int64)
    for position in range(MAX_INTERIOR):
        power = len(OPS) ** np.maximum(interior - 1 - position, 0)
        ops[:, position] = np.where(position < interior, code // power % len(OPS), 0)
    return PackedCells(
        torch.from_numpy(interior + 2),
        torch.from_numpy(masks[matrix].astype(np.int64)),
        torch.from_numpy(ops),
    )


def distinct_cells(forms: PackedCells) -> tuple[np.ndarray, np.ndarray]:
    """Group labelled forms by isomorphism.

    Returns:
        for each class the number of its first form (the canonical representative), ascending,
        int64 ``[423624]``, and for each form the class it belongs to, int64 ``[1293208]``
    """
    parts = torch.arange(len(forms)).split(_CHUNK)
    hashes = torch.cat([isomorphism_hash(forms.take(part)) for part in parts])
    _, first, group = np.unique(hashes.numpy(), return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[group]


def isomorphism_hash(cells: PackedCells) -> Tensor:
    """Weisfeiler-Lehman hash of pruned cells, in- and out-neighbours kept apart.

    It is the refinement of the official module hash (Ying et al. 2019) on 64-bit integers, where a
    sum of mixed values stands for the sorted list of neighbour hashes.

    Shapes:
        - returns: int64 ``[B]``
    """
    bits = cells.edge_bits().T.long()
    labels = torch.tensor(_LABELS, device=bits.device).take(cells.features())
    exists = cells.has_vertex().T
    incoming, outgoing = _neighbour_sums(bits, torch.ones_like(exists, dtype=torch.long))
    state = _mix(labels.T + 8 * incoming + 64 * outgoing)
    for _ in range(_ROUNDS):
        incoming, outgoing = _neighbour_sums(bits, state)
        state = _mix(state + _mix(incoming + 1) + 3 * _mix(outgoing + 2))
    return _mix((state * exists).sum(0) + cells.vertices)


def _neighbour_sums(bits: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Sums of ``state`` ``[7, B]`` over in-neighbours and over out-neighbours."""
    incoming, outgoing = torch.zeros_like(state), torch.zeros_like(state)
    for bit, source, target in zip(bits, SLOT_SOURCES, SLOT_TARGETS, strict=True):
        incoming[target] += bit * state[source]
        outgoing[source] += bit * state[target]
    return incoming, outgoing


def _mix(values: Tensor) -> Tensor:
    """A bijection of 64-bit integers that spreads every input bit (the splitmix64 finaliser)."""
    values = values + -7046029254386353131
    values = (values ^ _shift(values, 30)) * -4658895280553007687
    values = (values ^ _shift(values, 27)) * -7723592293110705685
    return values ^ _shift(values, 31)


def _shift(values: Tensor, bits: int) -> Tensor:
    """Logical shift to the right; torch's own keeps the sign."""
    return (values >> bits) & ((1 << (64 - bits)) - 1)
