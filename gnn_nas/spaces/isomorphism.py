"""A 64-bit hash that is equal for isomorphic cells and differs for all others of the space."""

import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import OPS, SLOT_SOURCES, SLOT_TARGETS
from gnn_nas.spaces.packed import PackedCells

# Two rounds separate all 423,624 cells; one round leaves 422,814 classes.
ROUNDS = 2

# By feature; the last is that of no vertex.
_LABELS = (-1, *range(1, len(OPS) + 1), -2, 0)


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
    for _ in range(ROUNDS):
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
