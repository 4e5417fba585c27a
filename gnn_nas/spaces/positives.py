"""Positive samples: cells that are one to three unit edits away from an anchor."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gnn_nas.spaces.edits import change_ops, delete_vertices, toggle_edges
from gnn_nas.spaces.nasbench101 import MAX_INTERIOR, MAX_VERTICES, NUM_SLOTS, OPS, num_slots
from gnn_nas.spaces.packed import PackedCells, slot_bits, slot_ends
from gnn_nas.spaces.table import CellTable

if TYPE_CHECKING:
    from torch_geometric.data import Batch

MAX_EDITS = 3

# Share of the three-edit proposals that delete a vertex with one in- and one out-edge.
_DELETION_SHARE = 0.1
# Proposals a round: enough that the rounds' fixed cost does not count at small batches.
_PROPOSALS = 2048
# Proposals after which a cell is taken to be too small for its number of edits and draws another.
_PATIENCE = 500
_MAX_PROPOSALS = 100_000


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

    def __getitem__(self, index: Tensor) -> Edits:
        return Edits(*(part.index_select(0, index) for part in vars(self).values()))

    def apply(self, batch: Batch) -> Batch:
        """Carry the edits out on the ``x`` and ``edge_index`` of the batch they were drawn for."""
        cell, position = self.shifts.nonzero(as_tuple=True)
        nodes = batch.ptr.index_select(0, cell) + position + 1
        ops = batch.x.index_select(0, nodes).argmax(1) - 1
        batch = change_ops(batch, nodes, (ops + self.shifts[cell, position]) % len(OPS))
        batch = toggle_edges(batch, *slot_bits(self.toggles).nonzero(as_tuple=True))
        cell = self.deleted.nonzero().flatten()
        return delete_vertices(batch, batch.ptr[cell] + self.deleted[cell])

    def preview(self, cells: PackedCells) -> PackedCells:
        """What the edits make of packed cells: same result as `apply`, cheap enough to reject."""
        ops = (cells.ops + self.shifts) % len(OPS)
        edited = PackedCells(cells.vertices.clone(), cells.edges ^ self.toggles, ops)
        cell = self.deleted.nonzero().flatten()
        number = torch.arange(MAX_VERTICES, device=cell.device)
        # The last is of no vertex that is left.
        order = (number + (number >= self.deleted[cell, None])).clamp_(max=MAX_VERTICES - 1)
        smaller = edited.take(cell).renumbered(order, cells.vertices[cell] - 1)
        edited.vertices[cell], edited.edges[cell] = smaller.vertices, smaller.edges
        edited.ops[cell] = smaller.ops
        return edited


@dataclass(frozen=True)
class Positives:
    """Positives of a batch of anchors, ``count`` for each, in the anchors' order.

    Shapes:
        - rows: ``[B * count]``, their rows in the cell table
        - cells: the edited cells, as a `Batch` of ``B * count``
        - num_edits: ``[B * count]``, unit edits made, 1 to 3
    """

    rows: Tensor
    cells: Batch
    num_edits: Tensor


class PositiveSampler:
    """Draws positives by random edits, rejecting what is not a positive (paper, section 3).

    A positive is valid without pruning, so its edit distance from the anchor is at most its number
    of edits, and it is not isomorphic to the anchor. The number of edits is uniform over 1, 2 and
    3, except for the few cells too small to have a positive at each.

    Args:
        table: the cell table.
        forbidden: bool ``[423624]``, rows that are never a positive (the held-out cells).
    """

    def __init__(self, table: CellTable, forbidden: Tensor | None = None) -> None:
        self.table = table
        self.forbidden = forbidden

    def sample(self, anchors: Tensor, count: int, generator: torch.Generator) -> Positives:
        """Draw ``count`` positives for every anchor.

        Shapes:
            - anchors: ``[B]``, rows of the cell table

        Raises:
            ValueError: an anchor has no interior vertex, or all cells around it are forbidden.
        """
        table, device = self.table, anchors.device
        anchors = anchors.repeat_interleave(count)
        cells = table.cells.take(anchors)
        if bool((cells.vertices < 3).any()):
            raise ValueError("a cell without interior vertices has no positives")
        num_edits = torch.randint(
            1, MAX_EDITS + 1, anchors.shape, generator=generator, device=device
        )
        rows = torch.empty_like(anchors)
        edits = _no_edits(len(anchors), device)
        pending = torch.arange(len(anchors), device=device)
        tried = 0
        while len(pending) and tried < _MAX_PROPOSALS:
            copies = max(1, _PROPOSALS // len(pending))
            index = pending.repeat_interleave(copies)
            origins = cells.take(index)
            proposed = _propose(origins, num_edits.index_select(0, index), generator)
            proposed_rows = table.rows_of(proposed.preview(origins))
            accepted = (proposed_rows >= 0) & proposed.distinct
            accepted &= proposed_rows != anchors.index_select(0, index)
            if self.forbidden is not None:
                accepted &= ~self.forbidden.index_select(0, proposed_rows.clamp(min=0))
            accepted = accepted.view(-1, copies)
            found = accepted.any(1)
            first = accepted.int().argmax(1) + torch.arange(len(pending), device=device) * copies
            done, chosen = pending[found], first[found]
            rows[done] = proposed_rows.index_select(0, chosen)
            for whole, part in zip(
                vars(edits).values(), vars(proposed[chosen]).values(), strict=True
            ):
                whole.index_copy_(0, done, part)
            pending = pending[~found]
            tried += copies
            if tried >= _PATIENCE:
                num_edits[pending] = torch.randint(
                    1, MAX_EDITS + 1, pending.shape, generator=generator, device=device
                )
        if len(pending):
            stuck = anchors[pending].unique().tolist()
            raise ValueError(f"no positive found for rows {stuck[:10]}")
        return Positives(rows, edits.apply(cells.to_batch()), num_edits)


def _no_edits(count: int, device: torch.device) -> Edits:
    zeros = torch.zeros(count, dtype=torch.long, device=device)
    return Edits(
        zeros.new_zeros(count, MAX_INTERIOR), zeros, zeros.clone(), torch.ones_like(zeros).bool()
    )


def _propose(cells: PackedCells, num_edits: Tensor, generator: torch.Generator) -> Edits:
    """Draw edit scripts of the wanted length; op changes and edge toggles are equally likely."""
    count, device = len(cells), cells.edges.device
    draws = torch.randint(1 << 60, (MAX_EDITS + 1, count), generator=generator, device=device)
    on_op, shift, place = _choices(draws[:MAX_EDITS], len(OPS))
    interior, slot = place % (cells.vertices - 2), place % num_slots(cells.vertices)
    number = torch.arange(MAX_EDITS, device=device)[:, None]
    wanted = num_edits > number
    edits = _no_edits(count, device)
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
