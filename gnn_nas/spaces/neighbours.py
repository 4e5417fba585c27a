"""The cells one step away from a cell: what local search and evolution move to."""

import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import MAX_VERTICES, NUM_SLOTS, OPS
from gnn_nas.spaces.packed import PackedCells, slot_ends
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.table import CellTable

# Places in the order of an edited cell: far enough apart for a vertex to be put between.
_NEW, _BEHIND, _ABSENT = MAX_VERTICES, 2 * MAX_VERTICES, 4 * MAX_VERTICES


def neighbours(table: CellTable, rows: Tensor) -> tuple[Tensor, Tensor]:
    """All cells that one step makes of a cell, for every cell of a batch.

    A step changes an op, adds or removes an edge, or adds or removes a vertex with one in-edge and
    one out-edge; what then lies on no path from input to output is pruned. Edges may be added
    between any two vertices that a cycle does not forbid, whatever their numbers are, so isomorphic
    cells have the same neighbours.

    Shapes:
        - rows: ``[B]``, rows of the cell table
        - returns: positions in ``rows`` and rows of their neighbours, two tensors ``[N]`` sorted by
          both; all pairs are distinct, and no cell is its own neighbour
    """
    cells = table.cells[rows]
    parts = [_op_changes(cells), _edge_toggles(cells), _vertex_additions(cells)]
    owner = torch.cat([owner for owner, _ in parts])
    edited, valid = prune(_concatenated([edited for _, edited in parts]))
    owner, found = owner[valid], table.rows_of(edited[valid])
    changed = found != rows[owner]
    pairs = torch.unique(owner[changed] * len(table) + found[changed])
    return pairs // len(table), pairs % len(table)


def _op_changes(cells: PackedCells) -> tuple[Tensor, PackedCells]:
    shiftable = cells.has_interior()[:, :, None].expand(-1, -1, len(OPS) - 1)
    owner, position, shift = shiftable.nonzero(as_tuple=True)
    edited = cells[owner]
    edited.ops[torch.arange(len(owner), device=owner.device), position] += 1 + shift
    return owner, PackedCells(edited.vertices, edited.edges, edited.ops % len(OPS))


def _edge_toggles(cells: PackedCells) -> tuple[Tensor, PackedCells]:
    """Toggle every edge; a vertex that loses its last in- or out-edge is removed by pruning."""
    reaches = _reaches(cells)
    owner, source, target = _possible_edges(cells, reaches)
    adjacency = cells.adjacency()[owner]
    adjacency[torch.arange(len(owner), device=owner.device), source, target] ^= True
    labels = torch.nn.functional.pad(cells.ops, (1, 1))[owner]
    places = _places(cells.vertices[owner], reaches[owner, target])
    return owner, _in_order(cells.vertices[owner], adjacency, labels, places)


def _vertex_additions(cells: PackedCells) -> tuple[Tensor, PackedCells]:
    """Put a vertex of every op, as one more path, between any two vertices it can connect."""
    reaches = _reaches(cells)
    owner, source, target = _possible_edges(cells, reaches)
    grows = cells.vertices[owner] < MAX_VERTICES
    owner, source, target = (each[grows] for each in (owner, source, target))
    op = torch.arange(len(OPS), device=owner.device).repeat_interleave(len(owner))
    owner, source, target = (each.repeat(len(OPS)) for each in (owner, source, target))
    index = torch.arange(len(owner), device=owner.device)
    # The first number that the cell has no vertex for.
    new = cells.vertices[owner]
    adjacency = cells.adjacency()[owner]
    adjacency[index, source, new] = True
    adjacency[index, new, target] = True
    labels = torch.nn.functional.pad(cells.ops, (1, 1))[owner]
    labels[index, new] = op
    places = _places(new, reaches[owner, target])
    places[index, new] = _NEW
    return owner, _in_order(new + 1, adjacency, labels, places)


def _reaches(cells: PackedCells) -> Tensor:
    """Whether a path leads from one vertex to another or they are the same, bool ``[B, 7, 7]``."""
    steps = cells.adjacency().float() + torch.eye(MAX_VERTICES, device=cells.edges.device)
    for _ in range(3):  # paths of up to 2, 4, 8 edges
        steps = (steps @ steps).clamp_(max=1)
    return steps > 0


def _possible_edges(cells: PackedCells, reaches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cell, source and target of every edge that there is or that would close no cycle."""
    exists = torch.arange(MAX_VERTICES, device=reaches.device) < cells.vertices[:, None]
    both = exists[:, :, None] & exists[:, None, :]
    return (both & ~reaches.transpose(1, 2)).nonzero(as_tuple=True)


def _places(vertices: Tensor, behind: Tensor) -> Tensor:
    """Where vertices go: the target and what it reaches, ``behind``, after all others.

    No edge leads back from there, and the source of a new edge is among the others, so this is a
    topological order again.

    Shapes:
        - vertices: ``[N]``; behind: bool ``[N, 7]``; returns: ``[N, 7]``
    """
    number = torch.arange(MAX_VERTICES, device=vertices.device)
    places = number + _BEHIND * behind
    return torch.where(number < vertices[:, None], places, _ABSENT + number)


def _in_order(vertices: Tensor, adjacency: Tensor, labels: Tensor, places: Tensor) -> PackedCells:
    """Cells with their vertices renumbered by ascending places."""
    order = places.argsort(dim=1)
    adjacency = adjacency.gather(1, order[:, :, None].expand_as(adjacency))
    adjacency = adjacency.gather(2, order[:, None, :].expand_as(adjacency))
    sources, targets = slot_ends(order.device)
    bits = adjacency[:, sources, targets].long() << torch.arange(NUM_SLOTS, device=order.device)
    return PackedCells(vertices, bits.sum(1), labels.gather(1, order)[:, 1:-1])


def _concatenated(parts: list[PackedCells]) -> PackedCells:
    return PackedCells(
        torch.cat([part.vertices for part in parts]),
        torch.cat([part.edges for part in parts]),
        torch.cat([part.ops for part in parts]),
    )
