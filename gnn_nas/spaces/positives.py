"""Positive samples: cells that are a few unit edits away from an anchor."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gnn_nas.spaces.edits import change_ops, delete_vertices, toggle_edges
from gnn_nas.spaces.packed import PackedCells, slot_bits, slot_ends
from gnn_nas.spaces.sources import leaves_joined, random_moves
from gnn_nas.spaces.space import num_slots

if TYPE_CHECKING:
    from torch_geometric.data import Batch

    from gnn_nas.spaces.index import CellIndex

# Of a vertex, with its one in- and its one out-edge.
_DELETION_EDITS = 3
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
        - shifts: ``[B, V - 2]``, how far the op of each interior vertex moves on among the ops of
          the space (cyclic)
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
        num_ops = batch.x.shape[1] - 2
        batch = change_ops(batch, nodes, (ops + self.shifts[cell, position]) % num_ops)
        slots = num_slots(self.shifts.shape[1] + 2)
        batch = toggle_edges(batch, *slot_bits(self.toggles, slots).nonzero(as_tuple=True))
        cell = self.deleted.nonzero().flatten()
        return delete_vertices(batch, batch.ptr[cell] + self.deleted[cell])

    def preview(self, cells: PackedCells) -> PackedCells:
        """What the edits make of packed cells: same result as `apply`, cheap enough to reject."""
        space = cells.space
        ops = (cells.ops + self.shifts) % len(space.ops)
        edited = PackedCells(cells.vertices.clone(), cells.edges ^ self.toggles, ops, space)
        cell = self.deleted.nonzero().flatten()
        number = torch.arange(space.max_vertices, device=cell.device)
        # The last is of no vertex that is left.
        order = (number + (number >= self.deleted[cell, None])).clamp_(max=len(number) - 1)
        smaller = edited.take(cell).renumbered(order, cells.vertices[cell] - 1)
        edited.vertices[cell], edited.edges[cell] = smaller.vertices, smaller.edges
        edited.ops[cell] = smaller.ops
        return edited


@dataclass(frozen=True)
class Positives:
    """Positives of a batch of anchors, ``count`` for each, in the anchors' order.

    Shapes:
        - rows: ``[B * count]``, their rows in the table or registry
        - cells: the edited cells, as a `Batch` of ``B * count``
        - num_edits: ``[B * count]``, unit edits made, from 1 to the space's ``max_edits``; 0 of one
          that was made by none
    """

    rows: Tensor
    cells: Batch
    num_edits: Tensor


class PositiveSampler:
    """Draws positives by random edits, rejecting what is not a positive (paper, section 3).

    A positive is valid without pruning, so its edit distance from the anchor is at most its number
    of edits, and it is not isomorphic to the anchor. The number of edits is uniform over those that
    the space allows, except for the few cells too small to have a positive at each.

    Args:
        table: the cells.
        forbidden: rows that are never a positive (the held-out cells), as bool ``[N]``, or as the
            share of hashes that they have, see `gnn_nas.spaces.index.CellIndex`.
    """

    def __init__(self, table: CellIndex, forbidden: Tensor | float | None = None) -> None:
        self.table = table
        self.forbidden = forbidden

    def sample(self, anchors: Tensor, count: int, generator: torch.Generator) -> Positives:
        """Draw ``count`` positives for every anchor.

        Shapes:
            - anchors: ``[B]``, rows of the cells

        Raises:
            ValueError: an anchor has no interior vertex, or all cells around it are forbidden.
        """
        table, device, most = self.table, anchors.device, self.table.space.max_edits
        anchors = anchors.repeat_interleave(count)
        cells = table.cells.take(anchors)
        if bool((cells.vertices < 3).any()):
            raise ValueError("a cell without interior vertices has no positives")
        num_edits = torch.randint(1, most + 1, anchors.shape, generator=generator, device=device)
        rows = torch.empty_like(anchors)
        edits = _no_edits(cells)
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
            accepted &= ~self.forbids(proposed_rows.clamp(min=0))
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
                    1, most + 1, pending.shape, generator=generator, device=device
                )
        if len(pending):
            stuck = anchors[pending].unique().tolist()
            raise ValueError(f"no positive found for rows {stuck[:10]}")
        return Positives(rows, edits.apply(cells.to_batch()), num_edits)

    def forbids(self, rows: Tensor) -> Tensor:
        """Which rows are never a positive, bool ``[B]``."""
        if self.forbidden is None:
            return torch.zeros_like(rows, dtype=torch.bool)
        if isinstance(self.forbidden, Tensor):
            return self.forbidden.index_select(0, rows)
        return self.table.share_below(rows, self.forbidden)


def _no_edits(cells: PackedCells) -> Edits:
    zeros = torch.zeros_like(cells.edges)
    return Edits(
        torch.zeros_like(cells.ops), zeros, zeros.clone(), torch.ones_like(zeros, dtype=torch.bool)
    )


def _propose(cells: PackedCells, num_edits: Tensor, generator: torch.Generator) -> Edits:
    """Draw edit scripts of the wanted length; op changes and edge toggles are equally likely.

    Where the wiring is fixed all are op changes; where the number of in-edges is, no edge is
    toggled, but an op gets another source.
    """
    space, device = cells.space, cells.edges.device
    most = space.max_edits
    draws = torch.randint(1 << 60, (most + 1, len(cells)), generator=generator, device=device)
    on_op, shift, place = _choices(draws[:most], len(space.ops))
    if space.wiring:
        on_op = torch.ones_like(on_op)
    interior, slot = place % (cells.vertices - 2), place % num_slots(cells.vertices)
    number = torch.arange(most, device=device)[:, None]
    wanted = num_edits > number
    edits = _no_edits(cells)
    edits.shifts.scatter_add_(1, interior.T, (shift * (on_op & wanted)).T)
    on_edge = ~on_op & wanted
    if space.in_edges:
        slot = interior
        for moved, targets in zip(on_edge, 1 + interior, strict=True):
            move, is_possible = random_moves(cells, targets, generator)
            edits.toggles.bitwise_xor_(move * moved)
            edits.distinct.logical_and_(is_possible | ~moved)
        edits.toggles.copy_(leaves_joined(cells.edges ^ edits.toggles, space) ^ cells.edges)
    else:
        for toggle in on_edge.long() << slot:
            edits.toggles.bitwise_xor_(toggle)
    # Unwanted draws get a negative target of their own, which equals no other.
    target = torch.where(wanted, torch.where(on_op, space.num_slots + interior, slot), -1 - number)
    for one, other in combinations(target, 2):
        edits.distinct.logical_and_(one != other)

    if space.wiring or space.in_edges:
        return edits
    draw = draws[most]
    deletes = (num_edits == _DELETION_EDITS) & (draw % 1000 < 1000 * _DELETION_SHARE)
    cell = deletes.nonzero().flatten()
    vertex = 1 + (draw[cell] >> 10) % (cells.vertices[cell] - 2)
    edits.shifts[cell] = 0
    edits.toggles[cell] = 0
    edits.deleted[cell] = vertex
    # One in-edge and one out-edge: no interior vertex lacks either.
    ends = torch.stack(slot_ends(space.num_slots, device))
    touching = (ends == vertex[:, None, None]).any(1)
    edits.distinct[cell] = (slot_bits(cells.edges[cell], len(ends[0])) & touching).sum(1) == 2
    return edits


def _choices(draw: Tensor, num_ops: int) -> tuple[Tensor, Tensor, Tensor]:
    """Choices that a large random number makes, independent of each other.

    Returns:
        whether an op changes, else an edge; by how many ops, uniform over 1 to ``num_ops - 1``; and
        a large number, whose remainder says which vertex or slot
    """
    draw_of_op, others = draw >> 1, num_ops - 1
    if not others:
        return torch.zeros_like(draw, dtype=torch.bool), torch.zeros_like(draw), draw_of_op
    return (draw & 1).bool(), 1 + draw_of_op % others, draw_of_op // others
