"""Cells as a few integers each: the form in which whole batches are checked and looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import (
    FEATURES,
    MAX_INTERIOR,
    MAX_VERTICES,
    NUM_SLOTS,
    SLOT_SOURCES,
    SLOT_TARGETS,
)

# PyG takes longer to import than torch, so it is imported where its objects are made.
if TYPE_CHECKING:
    from torch_geometric.data import Batch, Data


class Graphs(NamedTuple):
    """What an encoder reads of a batch of ``B`` cells; a PyG `Batch` has the same attributes.

    Shapes:
        - x: one-hot features, ``[nodes, 5]``; edge_index: ``[2, edges]``, sorted by slot in a cell
        - batch: ``[nodes]``, the cell of every vertex; num_graphs: ``B``
    """

    x: Tensor
    edge_index: Tensor
    batch: Tensor
    num_graphs: int


@dataclass(frozen=True, slots=True)
class PackedCells:
    """A batch of ``B`` cells as integers, free of padding and pointers.

    Shapes:
        - vertices: ``[B]``, number of vertices, input and output included
        - edges: ``[B]``, bit ``slot_of(x, y)`` is set where the edge ``x -> y`` exists
        - ops: ``[B, 5]``, index into ``OPS`` of every interior vertex, 0 where there is none
    """

    vertices: Tensor
    edges: Tensor
    ops: Tensor

    def __len__(self) -> int:
        return len(self.edges)

    def __getitem__(self, index: slice | Tensor) -> PackedCells:
        """Select cells by anything that keeps a tensor's first dimension."""
        return PackedCells(self.vertices[index], self.edges[index], self.ops[index])

    def take(self, numbers: Tensor) -> PackedCells:
        """Select cells by their numbers, none negative; several times faster than by brackets."""
        return PackedCells(
            *(part.index_select(0, numbers) for part in (self.vertices, self.edges, self.ops))
        )

    def adjacency(self) -> Tensor:
        """Adjacency matrices, bool ``[B, 7, 7]``; vertices a cell does not have are isolated."""
        sources, targets = slot_ends(self.edges.device)
        dense = self.edges.new_zeros(len(self), MAX_VERTICES, MAX_VERTICES, dtype=torch.bool)
        dense[:, sources, targets] = self.edge_bits()
        return dense

    def edge_bits(self) -> Tensor:
        """Which slots hold an edge, bool ``[B, 21]``."""
        slots = torch.arange(NUM_SLOTS, device=self.edges.device)
        return (self.edges[:, None] >> slots) & 1 != 0

    def has_interior(self) -> Tensor:
        """Which of the five columns of ``ops`` belong to a vertex, bool ``[B, 5]``."""
        return torch.arange(MAX_INTERIOR, device=self.ops.device) < self.vertices[:, None] - 2

    def to_batch(self) -> Batch:
        """The same cells as a PyG `Batch`; its attributes are those of `to_graphs`."""
        x, edge_index, bits = self._nodes_and_edges()
        return build_batch(x, edge_index, self.vertices, bits.sum(1))

    def to_graphs(self) -> Graphs:
        """The same cells with one-hot ``x`` and ``edge_index`` sorted by slot."""
        x, edge_index, _ = self._nodes_and_edges()
        cell = torch.repeat_interleave(self.vertices, output_size=len(x))
        return Graphs(x, edge_index, cell, len(self))

    def _nodes_and_edges(self) -> tuple[Tensor, Tensor, Tensor]:
        """``x``, ``edge_index`` and `edge_bits`."""
        device, count = self.edges.device, len(self)
        sources, targets = slot_ends(device)
        ptr = _pointers(self.vertices)
        bits = self.edge_bits()
        cell, slot = bits.nonzero(as_tuple=True)
        features = self.ops.new_full((count, MAX_VERTICES), len(FEATURES))
        features[:, 0] = 0
        features[:, 1:-1] = self.ops + 1
        features.scatter_(1, self.vertices[:, None] - 1, len(FEATURES) - 1)
        exists = torch.arange(MAX_VERTICES, device=device) < self.vertices[:, None]
        one_hot = torch.eye(len(FEATURES), device=device)
        x = one_hot.index_select(0, features[exists])
        ends = torch.stack([sources, targets]).index_select(1, slot)
        return x, ends + ptr.index_select(0, cell), bits


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
    return PackedCells(
        vertices,
        _read_edges(edge_index, cell_of_node, position, len(vertices)),
        _read_ops(x, cell_of_node, position, vertices),
    )


def _read_edges(edge_index: Tensor, cell_of_node: Tensor, position: Tensor, cells: int) -> Tensor:
    if bool(((edge_index < 0) | (edge_index >= len(position))).any()):
        raise ValueError(f"edge_index names vertices outside 0 to {len(position) - 1}")
    source, target = edge_index
    cell = cell_of_node.index_select(0, source)
    x, y = position.index_select(0, source), position.index_select(0, target)
    if not bool(((cell == cell_of_node.index_select(0, target)) & (x < y)).all()):
        raise ValueError("edges must go from a lower to a higher vertex of the same cell")
    present = torch.zeros(cells * NUM_SLOTS, dtype=torch.bool, device=position.device)
    present.index_fill_(0, cell * NUM_SLOTS + x + y * (y - 1) // 2, True)
    present = present.view(cells, NUM_SLOTS)
    if int(present.sum()) != len(source):
        raise ValueError("a cell has the same edge twice")
    return (present.long() << torch.arange(NUM_SLOTS, device=position.device)).sum(1)


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

    ptr = _pointers(vertices)
    batch = Batch(
        x=x,
        edge_index=edge_index,
        batch=torch.repeat_interleave(vertices, output_size=len(x)),
        ptr=ptr,
    )
    # What `Batch.from_data_list` notes, so that `batch[i]` and `to_data_list` work.
    batch._num_graphs = len(vertices)
    batch._slice_dict = {"x": ptr, "edge_index": _pointers(edge_counts)}
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
    nodes, edge_index = kept_part(cells, chosen.index_select(0, cells.batch))
    return build_batch(
        x=cells.x.index_select(0, nodes),
        edge_index=edge_index,
        vertices=cells.ptr.diff()[chosen],
        edge_counts=cells._slice_dict["edge_index"].diff()[chosen],
    )


def kept_part(batch: Batch, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers of the vertices that are kept, and the edges among them, numbered anew.

    Shapes:
        - kept: bool ``[nodes]``
        - returns: int64 ``[nodes kept]`` and ``[2, edges kept]``
    """
    source, target = batch.edge_index
    edges = (kept.index_select(0, source) & kept.index_select(0, target)).nonzero().flatten()
    number = kept.cumsum(0) - 1
    ends = batch.edge_index.index_select(1, edges)
    return kept.nonzero().flatten(), torch.stack([number.index_select(0, end) for end in ends])


def slot_ends(device: torch.device) -> tuple[Tensor, Tensor]:
    """Source and target vertex of every slot, two tensors ``[21]``."""
    return torch.tensor(SLOT_SOURCES, device=device), torch.tensor(SLOT_TARGETS, device=device)


def _pointers(counts: Tensor) -> Tensor:
    return torch.nn.functional.pad(counts.cumsum(0), (1, 0))
