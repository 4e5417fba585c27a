"""Cells as PyG's `Data` and `Batch`, made and read without collating single cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import FEATURES, MAX_INTERIOR, MAX_VERTICES, NUM_SLOTS, slot_of
from gnn_nas.spaces.packed import PackedCells, pointers

# PyG takes longer to import than torch, so it is imported where its objects are made.
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


def build_batch(x: Tensor, edge_index: Tensor, vertices: Tensor, edge_counts: Tensor) -> Batch:
    """Assemble a `Batch` from already concatenated tensors, without collating `Data` objects.

    Shapes:
        - x: ``[nodes, 5]``; edge_index: ``[2, edges]``; vertices, edge_counts: ``[B]``
    """
    from torch_geometric.data import Batch

    ptr = pointers(vertices)
    batch = Batch(
        x=x,
        edge_index=edge_index,
        batch=torch.repeat_interleave(vertices, output_size=len(x)),
        ptr=ptr,
    )
    # What `Batch.from_data_list` notes, so that `batch[i]` and `to_data_list` work.
    batch._num_graphs = len(vertices)
    batch._slice_dict = {"x": ptr, "edge_index": pointers(edge_counts)}
    batch._inc_dict = {"x": torch.zeros_like(vertices), "edge_index": ptr[:-1]}
    return batch


def join(first: Batch, second: Batch) -> Batch:
    """One `Batch` with the cells of both, in this order."""
    return build_batch(
        x=torch.cat([first.x, second.x]),
        edge_index=torch.cat([first.edge_index, second.edge_index + len(first.x)], dim=1),
        vertices=torch.cat([first.ptr.diff(), second.ptr.diff()]),
        edge_counts=torch.cat(
            [first._slice_dict["edge_index"].diff(), second._slice_dict["edge_index"].diff()]
        ),
    )


def split(batch: Batch, parts: int) -> list[Batch]:
    """Cut a `Batch` into batches of equally many cells, in its order.

    Raises:
        ValueError: the cells cannot be shared out equally.
    """
    vertices, edge_counts = batch.ptr.diff(), batch._slice_dict["edge_index"].diff()
    if len(vertices) % parts:
        raise ValueError(f"{len(vertices)} cells cannot be cut into {parts} equal parts")
    # One wait for the device, and not one a part.
    nodes, edges = torch.stack([vertices, edge_counts]).view(2, parts, -1).sum(2).tolist()
    firsts = batch.ptr[:: len(vertices) // parts]
    return [
        build_batch(x, edge_index - first, own_vertices, own_edge_counts)
        for x, edge_index, first, own_vertices, own_edge_counts in zip(
            batch.x.split(nodes),
            batch.edge_index.split(edges, dim=1),
            firsts[:-1],
            vertices.chunk(parts),
            edge_counts.chunk(parts),
            strict=True,
        )
    ]


def select(cells: Batch, chosen: Tensor) -> Batch:
    """A `Batch` of some of the cells, in their order; by far faster than PyG's ``index_select``.

    Shapes:
        - chosen: bool ``[B]``
    """
    kept = chosen.index_select(0, cells.batch)
    edges = kept.index_select(0, cells.edge_index[0]).nonzero().flatten()
    ends = cells.edge_index.index_select(1, edges)
    return build_batch(
        x=cells.x.index_select(0, kept.nonzero().flatten()),
        edge_index=(kept.cumsum(0) - 1).index_select(0, ends.flatten()).view(2, -1),
        vertices=cells.ptr.diff()[chosen],
        edge_counts=cells._slice_dict["edge_index"].diff()[chosen],
    )
