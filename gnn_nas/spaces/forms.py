"""Labelled forms of a space with free edges: how many there are, and uniform draws of them.

A labelled form is a cell with its vertices in one of their topological orders; isomorphic forms
are one cell. Forms are counted and drawn vertex by vertex: of a form that is begun, what matters
for its completions is how many vertices have no out-edge yet, not which.
"""

from __future__ import annotations

from functools import cache
from math import comb

import numba
import numpy as np
import torch

from gnn_nas.spaces.canonical import compiled_slot_of
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace


def count_forms(space: CellSpace) -> int:
    """How many valid unpruned forms a space has, exactly: 1,293,208 in NAS-Bench-101."""
    if space.wiring:
        return len(space.ops) ** space.max_interior
    return sum(_forms_by_size(space))


def draw_forms(space: CellSpace, count: int, generator: torch.Generator) -> PackedCells:
    """Draw forms independently, all being equally likely.

    Args:
        generator: of the CPU.

    Shapes:
        - returns: `PackedCells` of ``count`` cells
    """
    ops = torch.randint(len(space.ops), (count, space.max_interior), generator=generator)
    if space.wiring:
        vertices = torch.full((count,), space.max_vertices)
        return PackedCells(vertices, torch.full((count,), space.mask), ops, space)
    sizes = torch.tensor([float(forms) for forms in _forms_by_size(space)], dtype=torch.float64)
    vertices = 2 + torch.multinomial(sizes, count, replacement=True, generator=generator)
    # For every vertex one number that tells how many edges lead to it, others that tell which.
    most = space.max_vertices
    draws = torch.rand(count, most, most, dtype=torch.float64, generator=generator)
    edges = _draw_edges(vertices.numpy(), draws.numpy(), _shares(space), space.max_edges)
    cells = PackedCells(vertices, torch.from_numpy(edges), ops, space)
    cells.ops.mul_(cells.has_interior())
    return cells


@cache
def _forms_by_size(space: CellSpace) -> tuple[int, ...]:
    """Forms of two vertices, of three, and so on."""
    return tuple(
        _completions(vertices, 1, 1, space.max_edges) * len(space.ops) ** (vertices - 2)
        for vertices in range(2, space.max_vertices + 1)
    )


@cache
def _completions(vertices: int, placed: int, bare: int, edges: int) -> int:
    """Ways to complete a cell of so many vertices with at most so many more edges.

    Args:
        placed: vertices that are there already; bare: those of them without an out-edge.
    """
    return sum(ways for _, _, ways in _choices(vertices, placed, bare, edges))


def _choices(vertices: int, placed: int, bare: int, edges: int) -> list[tuple[int, int, int]]:
    """In-edges of the next vertex from bare vertices and from others, and the ways to go on."""
    others, is_output = placed - bare, placed == vertices - 1
    choices = []
    # No vertex but the output stays bare, and none but the input without an in-edge.
    for from_bare in range(bare if is_output else 0, bare + 1):
        for from_others in range(others + 1):
            left = edges - from_bare - from_others
            if from_bare + from_others == 0 or left < 0:
                continue
            ways = comb(bare, from_bare) * comb(others, from_others)
            if not is_output:
                ways *= _completions(vertices, placed + 1, bare - from_bare + 1, left)
            choices.append((from_bare, from_others, ways))
    return choices


@cache
def _shares(space: CellSpace) -> np.ndarray:
    """Cumulative shares of the choices ``from_bare * V + from_others`` of a next vertex.

    Shapes:
        - returns: float64 ``[V + 1, V, V, E + 1, V * V]``, by vertices, placed and bare ones, and
          edges left
    """
    most = space.max_vertices
    shares = np.zeros((most + 1, most, most, space.max_edges + 1, most * most))
    for vertices in range(2, most + 1):
        for placed in range(1, vertices):
            for bare in range(1, placed + 1):
                for edges in range(1, space.max_edges + 1):
                    choices = _choices(vertices, placed, bare, edges)
                    if total := sum(ways for _, _, ways in choices):
                        row = shares[vertices, placed, bare, edges]
                        for from_bare, from_others, ways in choices:
                            row[from_bare * most + from_others] = ways / total
    return shares.cumsum(-1)


@numba.njit(cache=True)
def _draw_edges(vertices, draws, shares, max_edges):
    """Edge bitmasks of cells of these vertices, by numbers that are uniform in [0, 1)."""
    most = draws.shape[1]
    masks = np.zeros(len(vertices), dtype=np.int64)
    order = np.empty(most, dtype=np.int64)
    for cell in range(len(vertices)):
        # The placed vertices, the bare ones first.
        order[0] = 0
        bare, left = 1, max_edges
        for vertex in range(1, vertices[cell]):
            row = shares[vertices[cell], vertex, bare, left]
            # The last share is 1 but for rounding.
            choice = np.searchsorted(row, draws[cell, vertex, 0] * row[-1], side="right")
            from_bare, from_others = choice // most, choice % most
            for first, size, count in ((0, bare, from_bare), (bare, vertex - bare, from_others)):
                for step in range(count):
                    place = step + int(draws[cell, vertex, 1 + first + step] * (size - step))
                    here, there = first + step, first + place
                    order[here], order[there] = order[there], order[here]
                    masks[cell] |= np.int64(1) << compiled_slot_of(order[here], vertex)
            left -= from_bare + from_others
            # Those that were bare and have an out-edge now come behind those that are still bare.
            for step in range(from_bare):
                order[step], order[bare - 1 - step] = order[bare - 1 - step], order[step]
            bare -= from_bare
            for place in range(vertex, bare, -1):
                order[place] = order[place - 1]
            order[bare] = vertex
            bare += 1
    return masks
