"""The space of NAS-Bench-201 (Dong & Yang 2020): four nodes, an operation on each of six edges.

The operation of an edge ``i -> j`` is a vertex here; it feeds the operation of every edge that
leaves ``j``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gnn_nas.spaces.space import CellSpace

# torch takes a second to import, and commands list spaces before.
if TYPE_CHECKING:
    from gnn_nas.spaces.packed import PackedCells

NODES = 4
EDGES = tuple((source, target) for target in range(1, NODES) for source in range(target))
"""Of the cell as it is published, in the order of its text."""


def _wiring() -> list[tuple[int, int]]:
    """Edges between the vertices that stand for edges, the input and the output."""
    number = {edge: place for place, edge in enumerate(EDGES, start=1)}
    last = len(EDGES) + 1
    wiring = [(0, number[edge]) for edge in EDGES if edge[0] == 0]
    wiring += [(number[edge], last) for edge in EDGES if edge[1] == NODES - 1]
    wiring += [(number[a], number[b]) for a in EDGES for b in EDGES if a[1] == b[0]]
    return wiring


NASBENCH201 = CellSpace.wired(
    name="nasbench201",
    ops=("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"),
    parameters=(0.0, 0.0, 1.0, 9.0, 0.0),
    wiring=_wiring(),
)


def from_text(text: str) -> PackedCells:
    """A batch of one cell, of its official text ``|a~0|+|b~0|c~1|+|d~0|e~1|f~2|``.

    Raises:
        ValueError: the text is no cell of the space.
    """
    import torch

    from gnn_nas.spaces.packed import PackedCells

    names = re.findall(r"([^|~+]+)~(\d+)", text)
    ops = [name for name, _ in names]
    if unknown := [op for op in ops if op not in NASBENCH201.ops]:
        known = ", ".join(NASBENCH201.ops)
        raise ValueError(f"unknown op {unknown[0]!r}; known are {known}")
    if len(ops) != len(EDGES) or text != _text(ops):
        raise ValueError(f"no cell of NAS-Bench-201: {text!r:.200}")
    numbers = torch.tensor([[NASBENCH201.ops.index(op) for op in ops]])
    vertices = torch.tensor([NASBENCH201.max_vertices])
    return PackedCells(vertices, torch.tensor([NASBENCH201.mask]), numbers, NASBENCH201)


def to_text(cell: PackedCells) -> str:
    """The official text of a batch of one cell."""
    return _text([NASBENCH201.ops[op] for op in cell.ops[0].tolist()])


def _text(ops: list[str]) -> str:
    nodes: list[list[str]] = [[] for _ in range(NODES)]
    for (source, target), op in zip(EDGES, ops, strict=True):
        nodes[target].append(f"{op}~{source}|")
    return "+".join(f"|{''.join(parts)}" for parts in nodes[1:])
