"""Spaces that fix how many edges lead into an op: those of the output follow from the others."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from gnn_nas.spaces.packed import PackedCells, slot_ends
from gnn_nas.spaces.space import CellSpace, num_slots, slot_of


def has_exact_sources(cells: PackedCells) -> Tensor:
    """Which cells have the edges that a space with ``in_edges`` demands, bool ``[B]``.

    They have all vertices, so many edges into every op, and into the output those of
    `leaves_joined`.
    """
    space = cells.space
    sources, targets = slot_ends(space.num_slots, cells.edges.device)
    into = torch.zeros(len(cells), space.max_vertices, dtype=torch.long, device=sources.device)
    into.index_add_(1, targets, cells.edge_bits().long())
    place = torch.arange(space.max_vertices, device=sources.device)
    fits = into == place.clamp(max=space.in_edges)
    return (
        fits[:, :-1].all(1)
        & (cells.vertices == space.max_vertices)
        & (leaves_joined(cells.edges, space) == cells.edges)
    )


def leaves_joined(edges: Tensor, space: CellSpace) -> Tensor:
    """Edges of the largest cells, with those into the output from exactly the ops that feed no
    other.

    Shapes:
        - edges: bitmasks, ``[B]``; returns: the same
    """
    onward, to_output = (masks.to(edges.device) for masks in _out_masks(space))
    is_leaf = (edges[:, None] & onward) == 0
    others = (1 << num_slots(space.max_vertices - 1)) - 1
    return edges & others | (is_leaf * to_output).sum(1)


def random_moves(
    cells: PackedCells, targets: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw another source for an op of every cell in place of one it has, all equally likely.

    Shapes:
        - targets: ``[B]``, vertices between input and output
        - returns: bitmasks of the two edges to toggle, ``[B]``, and bool ``[B]``, whether there is
          another source; those of the output are left as they were
    """
    device, most = targets.device, cells.space.max_vertices
    draw = torch.rand(2, len(cells), most, generator=generator, device=device)
    place = torch.arange(most, device=device)
    is_earlier = place < targets[:, None]
    is_source = is_earlier & (cells.edges[:, None] >> slot_of(place, targets[:, None]) & 1).bool()
    is_other = is_earlier & ~is_source
    masks = [
        1 << slot_of((draws * chosen).argmax(1), targets)
        for draws, chosen in zip(1 + draw, (is_source, is_other), strict=True)
    ]
    return masks[0] ^ masks[1], is_other.any(1)


@cache
def _out_masks(space: CellSpace) -> tuple[Tensor, Tensor]:
    """Bitmasks of every op's edges to other ops, and of that to the output, ``[V - 2]`` each."""
    output = space.max_vertices - 1
    ops = range(1, output)
    onward = [sum(1 << slot_of(op, later) for later in range(op + 1, output)) for op in ops]
    to_output = [1 << slot_of(op, output) for op in ops]
    return torch.tensor(onward, device="cpu"), torch.tensor(to_output, device="cpu")
