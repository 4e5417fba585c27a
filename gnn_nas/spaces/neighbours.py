"""The cells one step away from a cell: what local search and evolution move to."""

import torch
from torch import Tensor

from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.sources import leaves_joined
from gnn_nas.spaces.space import slot_of


def neighbours(table: CellIndex, rows: Tensor) -> tuple[Tensor, Tensor]:
    """All cells that one step makes of a cell, for every cell of a batch.

    A step changes an op, adds or removes an edge, or adds or removes a vertex with one in-edge and
    one out-edge; what then lies on no path from input to output is pruned. Edges may be added
    between any two vertices that a cycle does not forbid, whatever their numbers are, so isomorphic
    cells have the same neighbours. Where the wiring is fixed a step changes an op; where the number
    of in-edges is, it changes an op or gives it another source.

    Shapes:
        - rows: ``[B]``, rows of the cell table
        - returns: positions in ``rows`` and rows of their neighbours, two tensors ``[N]`` sorted by
          both; all pairs are distinct, and no cell is its own neighbour
    """
    cells = table.cells[rows]
    steps = [_op_changes]
    if cells.space.in_edges:
        steps += [_source_changes]
    elif not cells.space.wiring:
        steps += [_edge_toggles, _vertex_additions]
    parts = [step(cells) for step in steps]
    owner = torch.cat([owner for owner, _ in parts])
    edited, valid = prune(PackedCells.cat(edited for _, edited in parts))
    owner, found = owner[valid], table.rows_of(edited[valid])
    changed = found != rows[owner]
    pairs = torch.unique(owner[changed] * len(table) + found[changed])
    return pairs // len(table), pairs % len(table)


def _op_changes(cells: PackedCells) -> tuple[Tensor, PackedCells]:
    space, num_ops = cells.space, len(cells.space.ops)
    shiftable = cells.has_interior()[:, :, None].expand(-1, -1, num_ops - 1)
    owner, position, shift = shiftable.nonzero(as_tuple=True)
    edited = cells[owner]
    edited.ops[torch.arange(len(owner), device=owner.device), position] += 1 + shift
    return owner, PackedCells(edited.vertices, edited.edges, edited.ops % num_ops, space)


def _edge_toggles(cells: PackedCells) -> tuple[Tensor, PackedCells]:
    """Toggle every edge; a vertex that loses its last in- or out-edge is removed by pruning."""
    reaches = _reaches(cells)
    owner, source, target = _possible_edges(cells, reaches)
    edited, number = _target_last(cells[owner], reaches[owner, target])
    edited.edges.bitwise_xor_(_edge(number, source, target))
    return owner, edited


def _source_changes(cells: PackedCells) -> tuple[Tensor, PackedCells]:
    """Give every op any other vertex for one of its sources that is not behind it."""
    reaches, adjacency = _reaches(cells), cells.adjacency()
    owner, source, target = _possible_edges(cells, reaches)
    new = ~adjacency[owner, source, target] & (target < cells.vertices[owner] - 1)
    owner, source, target = owner[new], source[new], target[new]
    place, dropped = adjacency[owner, :, target].nonzero(as_tuple=True)
    owner, source, target = owner[place], source[place], target[place]
    edited, number = _target_last(cells[owner], reaches[owner, target])
    edited.edges.bitwise_xor_(_edge(number, source, target) ^ _edge(number, dropped, target))
    edges = leaves_joined(edited.edges, cells.space)
    return owner, PackedCells(edited.vertices, edges, edited.ops, cells.space)


def _vertex_additions(cells: PackedCells) -> tuple[Tensor, PackedCells]:
    """Put a vertex of every op, as one more path, between any two vertices it can connect."""
    reaches, num_ops = _reaches(cells), len(cells.space.ops)
    owner, source, target = _possible_edges(cells, reaches)
    grows = cells.vertices[owner] < cells.space.max_vertices
    owner, source, target = (each[grows] for each in (owner, source, target))
    op = torch.arange(num_ops, device=owner.device).repeat_interleave(len(owner))
    owner, source, target = (each.repeat(num_ops) for each in (owner, source, target))
    # The first number that the cell has no vertex for.
    new = cells.vertices[owner]
    edited, number = _target_last(cells[owner], reaches[owner, target], added=1)
    edited.edges.bitwise_or_(_edge(number, source, new) | _edge(number, new, target))
    edited.ops.scatter_(1, number.gather(1, new[:, None]) - 1, op[:, None])
    return owner, edited


def _reaches(cells: PackedCells) -> Tensor:
    """Whether a path leads from one vertex to another or they are the same, bool ``[B, V, V]``."""
    most = cells.space.max_vertices
    steps = cells.adjacency().float() + torch.eye(most, device=cells.edges.device)
    for _ in range((most - 1).bit_length()):  # paths of up to 2, 4, 8 edges, and so on
        steps = (steps @ steps).clamp_(max=1)
    return steps > 0


def _possible_edges(cells: PackedCells, reaches: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Cell, source and target of every edge that there is or that would close no cycle."""
    exists = cells.has_vertex()
    both = exists[:, :, None] & exists[:, None, :]
    owner, source, target = (both & ~reaches.transpose(1, 2)).nonzero(as_tuple=True)
    return owner, source, target


def _target_last(cells: PackedCells, behind: Tensor, added: int = 0) -> tuple[PackedCells, Tensor]:
    """Renumber cells so that a new edge, or a new vertex on it, runs with the order of vertices.

    The edge's target and what it reaches, ``behind``, go after all others, and what is added
    between. No edge leads back from there, and the source is among the others, so this is a
    topological order again.

    Shapes:
        - behind: bool ``[N, V]``
        - returns: the cells, and the new number of every old vertex, ``[N, V]``
    """
    number = torch.arange(cells.space.max_vertices, device=behind.device)
    beyond = number - cells.vertices[:, None]  # 0 for the vertex that is added
    group = torch.where(beyond < 0, 2 * behind, torch.where(beyond < added, 1, 3))
    order = group.argsort(dim=1, stable=True)
    return cells.renumbered(order, cells.vertices + added), order.argsort(dim=1)


def _edge(number: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Bitmask of an edge between vertices of these old numbers."""
    x, y = (number.gather(1, end[:, None])[:, 0] for end in (source, target))
    return 1 << slot_of(x, y)
