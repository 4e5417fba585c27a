"""From PyG's `Data` and `Batch` back to integers, with a look at whether they are cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import FEATURES, MAX_INTERIOR, MAX_VERTICES, NUM_SLOTS, slot_of
from gnn_nas.spaces.packed import PackedCells

if TYPE_CHECKING:
    from torch_geometric.data import Batch, Data


def pack(cells: Data | Batch) -> PackedCells:
    """Read a PyG `Data` (a batch of one) or `Batch` of cells back into integers.

    Raises:
        ValueError: a cell lacks x or edge_index, or has fewer than two or more than seven vertices,
            features that are not one-hot input, ops, output in this order, an edge twice, or one
            against the vertex order.
    """
    from torch_geometric.data import Batch

    x, edge_index = cells.x, cells.edge_index
    if x is None or edge_index is None:
        raise ValueError("a cell needs x and edge_index")
    if x.shape[1:] != (len(FEATURES),):
        raise ValueError(f"x must have {len(FEATURES)} columns, got shape {tuple(x.shape)}")
    ptr = cells.ptr if isinstance(cells, Batch) else edge_index.new_tensor([0, len(x)])
    vertices = ptr.diff()
    if bool(((vertices < 2) | (vertices > MAX_VERTICES)).any()):
        raise ValueError(f"a cell has 2 to {MAX_VERTICES} vertices, got {vertices.tolist()[:10]}")
    cell_of_node = torch.repeat_interleave(vertices)
    position = torch.arange(len(x), device=ptr.device) - ptr.index_select(0, cell_of_node)
    return PackedCells.from_bits(
        vertices,
        _read_edges(edge_index, cell_of_node, position, len(vertices)),
        _read_ops(x, cell_of_node, position, vertices),
    )


def _read_edges(edge_index: Tensor, cell_of_node: Tensor, position: Tensor, cells: int) -> Tensor:
    """Which slots hold an edge, bool ``[cells, 21]``."""
    if bool(((edge_index < 0) | (edge_index >= len(position))).any()):
        raise ValueError(f"edge_index names vertices outside 0 to {len(position) - 1}")
    source, target = edge_index
    cell = cell_of_node.index_select(0, source)
    x, y = position.index_select(0, source), position.index_select(0, target)
    if not bool(((cell == cell_of_node.index_select(0, target)) & (x < y)).all()):
        raise ValueError("edges must go from a lower to a higher vertex of the same cell")
    bits = torch.zeros(cells * NUM_SLOTS, dtype=torch.bool, device=position.device)
    bits.index_fill_(0, cell * NUM_SLOTS + slot_of(x, y), True)
    if int(bits.sum()) != len(source):
        raise ValueError("a cell has the same edge twice")
    return bits.view(cells, NUM_SLOTS)


def _read_ops(x: Tensor, cell_of_node: Tensor, position: Tensor, vertices: Tensor) -> Tensor:
    features = x.argmax(1)
    is_last = position == vertices.index_select(0, cell_of_node) - 1
    inside = (position > 0) & ~is_last
    is_op = (features > 0) & (features < len(FEATURES) - 1)
    fits = torch.where(inside, is_op, features == is_last * (len(FEATURES) - 1))
    one_hot = (x == torch.nn.functional.one_hot(features, len(FEATURES))).all()
    if not bool(one_hot & fits.all()):
        raise ValueError("x must be one-hot with the input first, the output last, ops between")
    ops = vertices.new_zeros(len(vertices), MAX_INTERIOR)
    ops[cell_of_node[inside], position[inside] - 1] = features[inside] - 1
    return ops
