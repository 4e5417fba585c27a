"""Cells as text, as people write them in a table: the names of the ops, and edges as ``0>1``.

Vertex 0 is the input, the ops follow in the order in which they are written, and the output is the
last. An edge leads from a lower vertex to a higher one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import torch

from gnn_nas.spaces.nasbench201 import ops_of
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.pruning import on_a_path
from gnn_nas.spaces.space import CellSpace, num_slots, slot_of

_EDGE = re.compile(r"(\d{1,9})>(\d{1,9})", re.ASCII)


class ReadCell(NamedTuple):
    """One cell in plain integers, pruned: what a row of `PackedCells` holds."""

    vertices: int
    edges: int
    ops: list[int]


def read_ops(text: str, space: CellSpace) -> list[int]:
    """Numbers of the ops that a text names, with spaces between or as NAS-Bench-201 writes them.

    Raises:
        ValueError: the space has no such op, or its cells have another number of them.
    """
    if space.nodes and text.startswith("|"):
        return ops_of(text, space)
    names = text.split()
    for name in names:
        if name not in space.ops:
            raise ValueError(f"unknown op {name!r:.80}; known are {', '.join(space.ops)}")
    if space.wiring and len(names) != space.max_interior:
        raise ValueError(f"{len(names)} ops, but a cell has {space.max_interior}")
    return [space.ops.index(name) for name in names]


def cell_of(ops: list[int], edges: str, space: CellSpace) -> ReadCell:
    """A cell of its ops and of edges as a text, which a fixed wiring does without.

    It is pruned first, as by `gnn_nas.spaces.conversion.from_matrix`.

    Raises:
        ValueError: the edges are none, or what is left keeps no limit of the space.
    """
    if space.wiring:
        return ReadCell(space.max_vertices, space.mask, ops)
    sources = _sources(edges, len(ops) + 2)
    kept = on_a_path(sources)
    most, most_edges = space.max_vertices, space.max_edges
    if not kept:
        raise ValueError("no path leads from the input to the output")
    if len(kept) > most:
        raise ValueError(f"a cell has 2 to {most} vertices, got {len(kept)} after pruning")
    mask = 0
    for y, vertex in enumerate(kept):
        for x, source in enumerate(kept[:y]):
            mask |= (sources[vertex] >> source & 1) << slot_of(x, y)
    if (count := mask.bit_count()) > most_edges:
        raise ValueError(f"a cell has at most {most_edges} edges, this one {count} after pruning")
    return ReadCell(len(kept), mask, [ops[vertex - 1] for vertex in kept[1:-1]])


def packed(cells: Sequence[ReadCell], space: CellSpace) -> PackedCells:
    """A batch of cells that were read."""
    missing = [[0] * (space.max_interior - len(cell.ops)) for cell in cells]
    ops = [cell.ops + none for cell, none in zip(cells, missing, strict=True)]
    return PackedCells(
        torch.tensor([cell.vertices for cell in cells], dtype=torch.long),
        torch.tensor([cell.edges for cell in cells], dtype=torch.long),
        torch.tensor(ops, dtype=torch.long).reshape(-1, space.max_interior),
        space,
    )


def to_texts(cells: PackedCells) -> list[tuple[str, str]]:
    """Ops and edges of every cell as text; of a fixed wiring the edges are empty."""
    space = cells.space
    texts = []
    for vertices, mask, numbers in zip(
        cells.vertices.tolist(), cells.edges.tolist(), cells.ops.tolist(), strict=True
    ):
        ops = " ".join(space.ops[number] for number in numbers[: vertices - 2])
        slots = space.slots[: 0 if space.wiring else num_slots(vertices)]
        edges = [f"{x}>{y}" for slot, (x, y) in enumerate(slots) if mask >> slot & 1]
        texts.append((ops, " ".join(edges)))
    return texts


def _sources(edges: str, vertices: int) -> list[int]:
    """Every vertex's in-neighbours as bits."""
    sources = [0] * vertices
    for edge in edges.split():
        if not (match := _EDGE.fullmatch(edge)):
            raise ValueError(f"{edge!r:.80} is no edge: write them as 0>1 1>2")
        x, y = map(int, match.groups())
        if y >= vertices:
            raise ValueError(f"the edge {edge} has no end: the output is vertex {vertices - 1}")
        if x >= y:
            raise ValueError(f"the edge {edge} does not lead from a lower vertex to a higher one")
        if sources[y] >> x & 1:
            raise ValueError(f"the edge {edge} is there twice")
        sources[y] |= 1 << x
    return sources
