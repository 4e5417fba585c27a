"""The space of NAS-Bench-201 (Dong & Yang 2020): four nodes, an operation on each of six edges."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gnn_nas.spaces.space import CellSpace, node_edges

# torch takes a second to import, and commands list spaces before.
if TYPE_CHECKING:
    from gnn_nas.spaces.packed import PackedCells

NODES = 4
EDGES = node_edges(NODES)
"""Of the cell as it is published, in the order of its text."""

NASBENCH201 = CellSpace.on_edges(
    name="nasbench201",
    ops=("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"),
    parameters=(0.0, 0.0, 1.0, 9.0, 0.0),
    nodes=NODES,
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
