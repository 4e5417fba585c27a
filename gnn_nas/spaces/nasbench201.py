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
    modules=tuple(
        f"gnn_nas.tasks.ops:{op}"
        for op in ("none", "skip", "relu_conv1x1", "relu_conv3x3", "avgpool3x3")
    ),
    zero="none",
    identity="skip_connect",
)


def from_text(text: str) -> PackedCells:
    """A batch of one cell, of its official text ``|a~0|+|b~0|c~1|+|d~0|e~1|f~2|``.

    Raises:
        ValueError: the text is no cell of the space.
    """
    import torch

    from gnn_nas.spaces.packed import PackedCells

    numbers = torch.tensor([ops_of(text)])
    vertices = torch.tensor([NASBENCH201.max_vertices])
    return PackedCells(vertices, torch.tensor([NASBENCH201.mask]), numbers, NASBENCH201)


def ops_of(text: str, space: CellSpace = NASBENCH201) -> list[int]:
    """The numbers of the ops in such a text of any space with its ops on edges.

    Raises:
        ValueError: the text is no cell of the space.
    """
    names = [name for name, _ in re.findall(r"([^|~+]+)~(\d+)", text)]
    if unknown := [name for name in names if name not in space.ops]:
        known = ", ".join(space.ops)
        raise ValueError(f"unknown op {unknown[0]!r:.80}; known are {known}")
    if len(names) != space.max_interior or text != _text(names, space):
        raise ValueError(f"no cell of {space.name}: {text!r:.200}")
    return [space.ops.index(name) for name in names]


def to_text(cell: PackedCells) -> str:
    """The official text of a batch of one cell."""
    return _text([NASBENCH201.ops[op] for op in cell.ops[0].tolist()], NASBENCH201)


def _text(ops: list[str], space: CellSpace) -> str:
    nodes: list[list[str]] = [[] for _ in range(space.nodes or 0)]
    for (source, target), op in zip(node_edges(len(nodes)), ops, strict=True):
        nodes[target].append(f"{op}~{source}|")
    return "+".join(f"|{''.join(parts)}" for parts in nodes[1:])
