"""Edit scripts for whole batches of cells: ops, edges and vertices that change."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import MAX_INTERIOR, MAX_VERTICES, NUM_SLOTS, OPS, num_slots
from gnn_nas.spaces.packed import PackedCells, slot_bits, slot_ends

MAX_EDITS = 3

# Share of the three-edit scripts that delete a vertex with one in- and one out-edge.
_DELETION_SHARE = 0.1


@dataclass(frozen=True)
class Edits:
    """One edit script for every cell of a batch.

    Shapes:
        - shifts: ``[B, 5]``, how far the op of each interior vertex moves on in ``OPS`` (cyclic)
        - toggles: ``[B]``, bitmask of the edge slots to toggle
        - deleted: ``[B]``, the vertex to delete, 0 for none
        - distinct: bool ``[B]``, whether no vertex or slot was drawn twice
    """

    shifts: Tensor
    toggles: Tensor
    deleted: Tensor
    distinct: Tensor

    def apply(self, cells: PackedCells) -> PackedCells:
        """Edit the cells that the scripts were drawn for; whether they are still valid is open."""
        ops = (cells.ops + self.shifts) % len(OPS)
        edited = PackedCells(cells.vertices.clone(), cells.edges ^ self.toggles, ops)
        cell = self.deleted.nonzero().flatten()
        number = torch.arange(MAX_VERTICES, device=cell.device)
        # The last is of no vertex that is left.
        order = (number + (number >= self.deleted[cell, None])).clamp_(max=MAX_VERTICES - 1)
        smaller = edited.take(cell).renumbered(order, cells.vertices[cell] - 1)
        edited.put(cell, smaller)
        return edited


def draw_edits(cells: PackedCells, num_edits: Tensor, generator: torch.Generator) -> Edits:
    """Draw edit scripts of the wanted length; op changes and edge toggles are equally likely.

    Args:
        cells: valid ones that need no pruning, of three vertices at least.

    Shapes:
        - num_edits: ``[B]``, 1 to 3
    """
    count, device = len(cells), cells.edges.device
    draws = torch.randint(1 << 60, (MAX_EDITS + 1, count), generator=generator, device=device)
    on_op, shift, place = _choices(draws[:MAX_EDITS], len(OPS))
    interior, slot = place % (cells.vertices - 2), place % num_slots(cells.vertices)
    number = torch.arange(MAX_EDITS, device=device)[:, None]
    wanted = num_edits > number
    zeros = torch.zeros(count, dtype=torch.long, device=device)
    edits = Edits(
        zeros.new_zeros(count, MAX_INTERIOR), zeros, zeros.clone(), torch.ones_like(zeros).bool()
    )
    edits.shifts.scatter_add_(1, interior.T, (shift * (on_op & wanted)).T)
    for toggle in (~on_op & wanted).long() << slot:
        edits.toggles.bitwise_xor_(toggle)
    # Unwanted draws get a negative target of their own, which equals no other.
    target = torch.where(wanted, torch.where(on_op, NUM_SLOTS + interior, slot), -1 - number)
    for one, other in combinations(target, 2):
        edits.distinct.logical_and_(one != other)

    draw = draws[MAX_EDITS]
    deletes = (num_edits == MAX_EDITS) & (draw % 1000 < 1000 * _DELETION_SHARE)
    cell = deletes.nonzero().flatten()
    vertex = 1 + (draw[cell] >> 10) % (cells.vertices[cell] - 2)
    edits.shifts[cell] = 0
    edits.toggles[cell] = 0
    edits.deleted[cell] = vertex
    # One in-edge and one out-edge: no interior vertex lacks either.
    touching = (torch.stack(slot_ends(device)) == vertex[:, None, None]).any(1)
    edits.distinct[cell] = (slot_bits(cells.edges[cell]) & touching).sum(1) == 2
    return edits


def _choices(draw: Tensor, num_ops: int) -> tuple[Tensor, Tensor, Tensor]:
    """Choices that a large random number makes, independent of each other.

    Returns:
        whether an op changes, else an edge; by how many ops, uniform over 1 to ``num_ops - 1``; and
        a large number, whose remainder says which vertex or slot
    """
    draw_of_op = draw >> 1
    others = num_ops - 1
    return (draw & 1).bool(), 1 + draw_of_op % others, draw_of_op // others
