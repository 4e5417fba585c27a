"""The canonical form of a cell: the one of all isomorphic forms that stands for them.

Where a space is too large for a table this is how cells are told apart. Vertices are ordered by
what a decoder can follow: how far they are from the input, then by op and degrees, then by their
neighbours' places in this order. What refinement leaves equal is individualised in turn, and the
smallest edge bitmask wins (McKay 1981).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import MOST_VERTICES, slot_of

compiled_slot_of: Any = numba.njit(slot_of)
# Ranks and their numbers are below 2^4, so a set of neighbours is a number with a digit a rank.
_DIGIT = 4


def canonical(cells: PackedCells) -> tuple[PackedCells, Tensor]:
    """Bring cells into their canonical form, which isomorphic cells share.

    Where the wiring is fixed every choice of ops is a cell, in its only form.

    Shapes:
        - returns: `PackedCells` of ``B`` cells, and bool ``[B]``, which are valid cells of the
          space that need no pruning; what the others become is undefined
    """
    space, device = cells.space, cells.edges.device
    in_space = ((cells.ops >= 0) & (cells.ops < len(space.ops))).all(1)
    if space.wiring:
        return cells, in_space & (cells.edges == space.mask)
    vertices, edges, ops = (
        np.ascontiguousarray(part.cpu().numpy())
        for part in (cells.vertices, cells.edges, cells.ops)
    )
    new_edges, new_ops, valid = _canonical(vertices, edges, ops, space.max_edges)
    moved_edges, moved_ops = (torch.from_numpy(part).to(device) for part in (new_edges, new_ops))
    forms = PackedCells(cells.vertices, moved_edges, moved_ops, space)
    return forms, torch.from_numpy(valid).to(device) & in_space


@numba.njit(cache=True)
def _canonical(vertices, edges, ops, max_edges):
    new_edges, new_ops = np.empty_like(edges), np.zeros_like(ops)
    valid = np.zeros(len(edges), dtype=np.bool_)
    sources = np.empty(MOST_VERTICES, dtype=np.int64)
    targets = np.empty(MOST_VERTICES, dtype=np.int64)
    rank = np.empty(MOST_VERTICES, dtype=np.int64)
    for cell in range(len(edges)):
        count = vertices[cell]
        if not _read(edges[cell], count, max_edges, sources, targets):
            continue
        valid[cell] = True
        _first_ranks(sources, targets, ops[cell], count, rank)
        new_edges[cell] = _least_mask(sources, targets, count, rank)
        for vertex in range(1, count - 1):
            new_ops[cell, rank[vertex] - 1] = ops[cell, vertex - 1]
    return new_edges, new_ops, valid


@numba.njit(cache=True)
def _read(mask, count, max_edges, sources, targets):
    """Neighbours of every vertex, as bitmasks, and whether the cell is valid and unpruned."""
    sources[:count] = 0
    targets[:count] = 0
    edges = 0
    for y in range(1, count):
        for x in range(y):
            if mask >> compiled_slot_of(x, y) & 1:
                sources[y] |= 1 << x
                targets[x] |= 1 << y
                edges += 1
    if count < 2 or edges > max_edges or mask >> compiled_slot_of(0, count):
        return False
    for vertex in range(count):
        if (vertex and not sources[vertex]) or (vertex < count - 1 and not targets[vertex]):
            return False
    return True


@numba.njit(cache=True)
def _first_ranks(sources, targets, ops, count, rank):
    """Rank vertices by depth, op and degrees, then refine; equal ones share their lowest rank."""
    keys = np.empty(count, dtype=np.int64)
    depth = np.zeros(count, dtype=np.int64)
    for vertex in range(count):
        into = 0
        for source in range(vertex):
            if sources[vertex] >> source & 1:
                depth[vertex] = max(depth[vertex], depth[source] + 1)
                into += 1
        out = 0
        for target in range(vertex + 1, count):
            out += targets[vertex] >> target & 1
        op = ops[vertex - 1] if 0 < vertex < count - 1 else 0
        keys[vertex] = ((depth[vertex] << 32 | op) << 4 | out) << 4 | into
    for vertex in range(count):
        rank[vertex] = 0
        for other in range(count):
            rank[vertex] += keys[other] < keys[vertex]
    _refine(sources, targets, count, rank)


@numba.njit(cache=True)
def _refine(sources, targets, count, rank):
    """Tell vertices of one rank apart by the ranks of their neighbours, until nothing changes."""
    incoming, outgoing = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    new = np.empty(count, dtype=np.int64)
    while True:
        for vertex in range(count):
            incoming[vertex] = outgoing[vertex] = 0
            for other in range(count):
                incoming[vertex] += (sources[vertex] >> other & 1) << (_DIGIT * rank[other])
                outgoing[vertex] += (targets[vertex] >> other & 1) << (_DIGIT * rank[other])
        changed = False
        for vertex in range(count):
            new[vertex] = rank[vertex]
            for other in range(count):
                if rank[other] == rank[vertex] and (
                    incoming[other] < incoming[vertex]
                    or (incoming[other] == incoming[vertex] and outgoing[other] < outgoing[vertex])
                ):
                    new[vertex] += 1
                    changed = True
        if not changed:
            return
        rank[:count] = new


@numba.njit(cache=True)
def _least_mask(sources, targets, count, rank):
    """The smallest edge bitmask of all orders that refinement allows; ``rank`` becomes one such.

    Which of several orders with this mask does not matter: their ops are the same, as vertices of
    one rank have one op.
    """
    first = _tied(rank, count)
    if first < 0:
        return _mask(sources, count, rank)
    # A search in depth: at each level a vertex of the first tie is put before the others of it.
    ranks = np.empty((count + 1, count), dtype=np.int64)
    tie, tried = np.empty(count + 1, dtype=np.int64), np.empty(count + 1, dtype=np.int64)
    ranks[0] = rank[:count]
    tie[0], tried[0] = first, -1
    level, least = 0, np.int64(-1)
    while level >= 0:
        vertex = _next_of_tie(sources, targets, count, ranks[level], tie[level], tried[level])
        if vertex < 0:
            level -= 1
            continue
        tried[level] = vertex
        below = ranks[level + 1]
        for other in range(count):
            is_later = ranks[level, other] == tie[level] and other != vertex
            below[other] = ranks[level, other] + is_later
        _refine(sources, targets, count, below)
        deeper = _tied(below, count)
        if deeper >= 0:
            level += 1
            tie[level], tried[level] = deeper, -1
            continue
        mask = _mask(sources, count, below)
        if least < 0 or mask < least:
            least = mask
            rank[:count] = below
    return least


@numba.njit(cache=True)
def _tied(rank, count):
    """The lowest rank that several vertices share, -1 where there is none."""
    seen = 0
    tied = 0
    for vertex in range(count):
        tied |= seen & (1 << rank[vertex])
        seen |= 1 << rank[vertex]
    for number in range(count):
        if tied >> number & 1:
            return number
    return -1


@numba.njit(cache=True)
def _next_of_tie(sources, targets, count, rank, tie, after):
    """The next vertex of a tie to put first, -1 for none; of twins one will do."""
    for vertex in range(after + 1, count):
        if rank[vertex] != tie:
            continue
        is_new = True
        for twin in range(vertex):
            if (
                rank[twin] == tie
                and sources[twin] == sources[vertex]
                and targets[twin] == targets[vertex]
            ):
                is_new = False
        if is_new:
            return vertex
    return -1


@numba.njit(cache=True)
def _mask(sources, count, rank):
    """Edge bitmask of a cell whose vertices have these ranks."""
    mask = np.int64(0)
    for y in range(count):
        for x in range(y):
            if sources[y] >> x & 1:
                mask |= np.int64(1) << compiled_slot_of(rank[x], rank[y])
    return mask
