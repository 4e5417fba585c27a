"""Enumeration of a whole search space: every matrix, every labelling, every distinct cell."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.sources import has_exact_sources
from gnn_nas.spaces.space import CellSpace

# Forms hashed at a time.
_CHUNK = 1 << 16
# Degrees of vertices are less than this.
_DEGREES = 16


def enumerate_matrices(space: CellSpace) -> tuple[np.ndarray, np.ndarray]:
    """All upper-triangular matrices that need no pruning and have no more edges than allowed.

    Ascending edge bitmasks are the official enumeration order, since a cell of more vertices has a
    higher top bit: its output needs an in-edge.

    Returns:
        edge bitmasks, ``[M]``, and vertex counts, int8 ``[M]``; of NAS-Bench-101 6,472
    """
    most = space.max_vertices
    if space.wiring:
        return np.array([space.mask]), np.array([most], dtype=np.int8)
    masks = np.arange(1, 1 << space.num_slots, dtype=np.int32)
    masks = masks[np.bitwise_count(masks) <= space.max_edges]
    out_edge = np.zeros((most, len(masks)), dtype=bool)
    in_edge = np.zeros_like(out_edge)
    for slot, (source, target) in enumerate(space.slots):
        present = (masks >> slot) & 1 != 0
        out_edge[source] |= present
        in_edge[target] |= present
    # The last vertex with an in-edge is the output.
    vertices = most - np.argmax(in_edge[::-1], axis=0)
    number = np.arange(most)[:, None]
    connected = (out_edge | (number >= vertices - 1)) & (in_edge | (number == 0))
    kept = (connected | (number >= vertices)).all(0)
    masks, vertices = masks[kept], vertices[kept].astype(np.int8)
    if space.in_edges:
        edges = torch.from_numpy(masks).long()
        ops = torch.zeros(len(masks), space.max_interior, dtype=torch.long)
        cells = PackedCells(torch.from_numpy(vertices).long(), edges, ops, space)
        kept = has_exact_sources(cells).numpy()
        masks, vertices = masks[kept], vertices[kept]
    return masks, vertices


def enumerate_forms(masks: np.ndarray, vertices: np.ndarray, space: CellSpace) -> PackedCells:
    """Every labelling of every matrix, in the order of ``itertools.product`` over the ops.

    Returns:
        the labelled forms, 1,293,208 in NAS-Bench-101; form ``f`` of matrix ``m`` is its ops read
        as digits, after the forms of all matrices before it
    """
    num_ops = len(space.ops)
    labellings = num_ops ** (vertices.astype(np.int64) - 2)
    matrix = np.repeat(np.arange(len(masks)), labellings)
    code = np.arange(len(matrix)) - np.repeat(np.cumsum(labellings) - labellings, labellings)
    interior = vertices[matrix].astype(np.int64) - 2
    ops = np.zeros((len(matrix), space.max_interior), dtype=np.int64)
    for position in range(space.max_interior):
        power = num_ops ** np.maximum(interior - 1 - position, 0)
        ops[:, position] = np.where(position < interior, code // power % num_ops, 0)
    return PackedCells(
        torch.from_numpy(interior + 2),
        torch.from_numpy(masks[matrix].astype(np.int64)),
        torch.from_numpy(ops),
        space,
    )


def distinct_cells(forms: PackedCells, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Group labelled forms by isomorphism.

    Args:
        rounds: of refinement, see `isomorphism_hash`. Two separate all 423,624 cells of
            NAS-Bench-101, one leaves 422,814 classes.

    Returns:
        for each class the number of its first form (the canonical representative), ascending,
        int64 ``[cells]``, and for each form the class it belongs to, int64 ``[forms]``
    """
    parts = torch.arange(len(forms)).split(_CHUNK)
    hashes = torch.cat([isomorphism_hash(forms.take(part), rounds) for part in parts])
    _, first, group = np.unique(hashes.numpy(), return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[group]


def without_reducible(
    forms: PackedCells, representative: np.ndarray, cell_of_form: np.ndarray, rounds: int
) -> tuple[np.ndarray, np.ndarray]:
    """Leave out the classes of `distinct_cells` that the space's reduction makes another cell of.

    Returns:
        the same two for those that are left; forms of the others have the class -1
    """
    cells = forms.take(torch.from_numpy(representative))
    reduced, valid = prune(cells)
    same = isomorphism_hash(reduced, rounds) == isomorphism_hash(cells, rounds)
    kept = (valid & same).numpy()
    number = np.where(kept, np.cumsum(kept) - 1, -1)
    return representative[kept], number[cell_of_form]


def isomorphism_hash(cells: PackedCells, rounds: int) -> Tensor:
    """Weisfeiler-Lehman hash of pruned cells, in- and out-neighbours kept apart.

    It is the refinement of the official module hash (Ying et al. 2019) on 64-bit integers, where a
    sum of mixed values stands for the sorted list of neighbour hashes.

    Shapes:
        - returns: int64 ``[B]``
    """
    bits, space = cells.edge_bits().T.long(), cells.space
    # By feature; the last is that of no vertex.
    by_feature = torch.tensor((-1, *range(1, len(space.ops) + 1), -2, 0), device=bits.device)
    labels, exists = by_feature.take(cells.features()), cells.has_vertex().T
    ones = torch.ones_like(exists, dtype=torch.long)
    incoming, outgoing = _neighbour_sums(bits, ones, space)
    state = _mix((labels.T * _DEGREES + incoming) * _DEGREES + outgoing)
    for _ in range(rounds):
        incoming, outgoing = _neighbour_sums(bits, state, space)
        state = _mix(state + _mix(incoming + 1) + 3 * _mix(outgoing + 2))
    return _mix((state * exists).sum(0) + cells.vertices)


def _neighbour_sums(bits: Tensor, state: Tensor, space: CellSpace) -> tuple[Tensor, Tensor]:
    """Sums of ``state`` ``[V, B]`` over in-neighbours and over out-neighbours."""
    incoming, outgoing = torch.zeros_like(state), torch.zeros_like(state)
    for slot, (source, target) in enumerate(space.slots):
        incoming[target] += bits[slot] * state[source]
        outgoing[source] += bits[slot] * state[target]
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
