"""Cells as a few integers each: the form in which whole batches are checked and looked up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn.functional import pad

from gnn_nas.spaces.batch import build_batch, pointers
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.space import SLOT_SOURCES, SLOT_TARGETS, CellSpace, slot_of

if TYPE_CHECKING:
    from torch_geometric.data import Batch, Data

_SOURCES, _TARGETS = torch.tensor(SLOT_SOURCES), torch.tensor(SLOT_TARGETS)


class Graphs(NamedTuple):
    """What an encoder reads of a batch of ``B`` cells; a PyG `Batch` has the same attributes.

    Shapes:
        - x: one-hot features, ``[nodes, F]``; edge_index: ``[2, edges]``, sorted by slot in a cell
        - batch: ``[nodes]``, the cell of every vertex; num_graphs: ``B``
    """

    x: Tensor
    edge_index: Tensor
    batch: Tensor
    num_graphs: int


@dataclass(frozen=True, slots=True)
class PackedCells:
    """A batch of ``B`` cells as integers, free of padding and pointers.

    In what follows ``V``, ``S`` and ``F`` are the most vertices of a cell of the space, the most
    edge slots, and the ops with input and output: 7, 21 and 5 in NAS-Bench-101.

    Shapes:
        - vertices: ``[B]``, number of vertices, input and output included
        - edges: ``[B]``, bit ``slot_of(x, y)`` is set where the edge ``x -> y`` exists
        - ops: ``[B, V - 2]``, number of the op of every interior vertex, 0 where there is none
    """

    vertices: Tensor
    edges: Tensor
    ops: Tensor
    space: CellSpace = NASBENCH101

    @classmethod
    def from_bits(
        cls, vertices: Tensor, bits: Tensor, ops: Tensor, space: CellSpace = NASBENCH101
    ) -> Self:
        """Cells whose edges are given as `edge_bits` gives them."""
        slots = torch.arange(bits.shape[1], device=bits.device)
        return cls(vertices, (bits.long() << slots).sum(1), ops, space)

    @staticmethod
    def cat(batches: Iterable[PackedCells]) -> PackedCells:
        """The cells of all batches, which are of one space, in this order."""
        batches = list(batches)
        parts = zip(*(batch._parts() for batch in batches), strict=True)
        return batches[0]._of_space(map(torch.cat, parts))

    def __len__(self) -> int:
        return len(self.edges)

    def __getitem__(self, index: slice | Tensor) -> PackedCells:
        """Select cells by anything that keeps a tensor's first dimension."""
        return self._of_space(part[index] for part in self._parts())

    def take(self, numbers: Tensor) -> PackedCells:
        """Select cells by their numbers, none negative; several times faster than indexing."""
        return self._of_space(part.index_select(0, numbers) for part in self._parts())

    def to(self, device: torch.device | str) -> PackedCells:
        """The same cells on ``device``."""
        return self._of_space(part.to(device) for part in self._parts())

    def _parts(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.vertices, self.edges, self.ops

    def _of_space(self, parts: Iterable[Tensor]) -> PackedCells:
        vertices, edges, ops = parts
        return PackedCells(vertices, edges, ops, self.space)

    def adjacency(self) -> Tensor:
        """Adjacency matrices, bool ``[B, V, V]``; vertices a cell does not have are isolated."""
        most = self.space.max_vertices
        sources, targets = slot_ends(self.space.num_slots, self.edges.device)
        dense = self.edges.new_zeros(len(self), most, most, dtype=torch.bool)
        dense[:, sources, targets] = self.edge_bits()
        return dense

    def edge_bits(self) -> Tensor:
        """Which slots hold an edge, bool ``[B, S]``."""
        return slot_bits(self.edges, self.space.num_slots)

    def has_vertex(self) -> Tensor:
        """Which of the vertices a cell has, bool ``[B, V]``."""
        number = torch.arange(self.space.max_vertices, device=self.ops.device)
        return number < self.vertices[:, None]

    def has_interior(self) -> Tensor:
        """Which columns of ``ops`` belong to a vertex, bool ``[B, V - 2]``."""
        number = torch.arange(self.space.max_interior, device=self.ops.device)
        return number < self.vertices[:, None] - 2

    def features(self) -> Tensor:
        """Index into the space's features of every vertex, int64 ``[B, V]``, ``F`` for none."""
        count = len(self.space.ops) + 2
        features = pad(self.ops + 1, (1, 1))
        features.scatter_(1, self.vertices[:, None] - 1, count - 1)
        number = torch.arange(features.shape[1], device=features.device)
        return features.masked_fill_(number >= self.vertices[:, None], count)

    def at_output(self, values: Tensor) -> Tensor:
        """The output vertex's entry of the last dimension, ``[B, ..., V] -> [B, ...]``."""
        index = (self.vertices - 1).view(-1, *[1] * (values.dim() - 1))
        return values.gather(-1, index.expand(*values.shape[:-1], 1)).squeeze(-1)

    def renumbered(self, order: Tensor, vertices: Tensor) -> PackedCells:
        """The cells with their vertices in another order, or with some of them only.

        Dropped vertices lose their edges. A number that the cell has no vertex for adds one, of op
        0 and without edges.

        Shapes:
            - order: ``[B, V]``, the old number of every new vertex, a topological order; what
              stands behind the vertices kept does not matter
            - vertices: ``[B]``, how many are kept, the first and the last being input and output
        """
        sources, targets = slot_ends(self.space.num_slots, order.device)
        old_sources, old_targets = order.index_select(1, sources), order.index_select(1, targets)
        bits = self.edges[:, None] >> slot_of(old_sources, old_targets) & 1
        # Against the old order there is no edge, and no slot that tells so.
        bits *= (old_sources < old_targets) & (targets < vertices[:, None])
        ops = pad(self.ops, (1, 1)).gather(1, order)[:, 1:-1]
        cells = PackedCells.from_bits(vertices, bits, ops, self.space)
        cells.ops.mul_(cells.has_interior())
        return cells

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
        features, bits = self.features(), self.edge_bits()
        count = len(self.space.ops) + 2
        one_hot = torch.eye(count, device=features.device)
        x = one_hot.index_select(0, features[features < count])
        return x, edges_between(bits, pointers(self.vertices)), bits


def slot_bits(masks: Tensor, slots: int) -> Tensor:
    """Which of so many slots are set in bitmasks, bool ``[B, slots]``."""
    return (masks[:, None] >> torch.arange(slots, device=masks.device)) & 1 != 0


def edges_between(bits: Tensor, ptr: Tensor) -> Tensor:
    """The ``edge_index`` of a batch, sorted by slot in a cell, ``[2, edges]``.

    Shapes:
        - bits: bool ``[B, S]``; ptr: the first node of every cell, ``[B]`` or longer
    """
    cell, slot = bits.nonzero(as_tuple=True)
    ends = torch.stack(slot_ends(bits.shape[1], bits.device)).index_select(1, slot)
    return ends + ptr.index_select(0, cell)


def slot_ends(slots: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Source and target vertex of the first slots, two tensors ``[slots]``."""
    return _SOURCES[:slots].to(device), _TARGETS[:slots].to(device)


def pack(cells: Data | Batch, space: CellSpace = NASBENCH101) -> PackedCells:
    """Read a PyG `Data` (a batch of one) or `Batch` of cells of a space back into integers.

    Raises:
        ValueError: a cell lacks x or edge_index, or has fewer than two vertices or more than the
            space allows, features that are not one-hot input, ops, output in this order, an edge
            twice, or one against the vertex order.
    """
    from torch_geometric.data import Batch

    x, edge_index = cells.x, cells.edge_index
    if x is None or edge_index is None:
        raise ValueError("a cell needs x and edge_index")
    columns = len(space.features)
    if x.shape[1:] != (columns,):
        raise ValueError(f"x must have {columns} columns, got shape {tuple(x.shape)}")
    ptr = cells.ptr if isinstance(cells, Batch) else edge_index.new_tensor([0, len(x)])
    vertices = ptr.diff()
    most = space.max_vertices
    if bool(((vertices < 2) | (vertices > most)).any()):
        raise ValueError(f"a cell has 2 to {most} vertices, got {vertices.tolist()[:10]}")
    cell_of_node = torch.repeat_interleave(vertices)
    position = torch.arange(len(x), device=ptr.device) - ptr.index_select(0, cell_of_node)
    return PackedCells.from_bits(
        vertices,
        _read_edges(edge_index, cell_of_node, position, len(vertices), space.num_slots),
        _read_ops(x, cell_of_node, position, vertices, space.max_interior),
        space,
    )


def _read_edges(
    edge_index: Tensor, cell_of_node: Tensor, position: Tensor, cells: int, slots: int
) -> Tensor:
    """Which slots hold an edge, bool ``[cells, slots]``."""
    if bool(((edge_index < 0) | (edge_index >= len(position))).any()):
        raise ValueError(f"edge_index names vertices outside 0 to {len(position) - 1}")
    source, target = edge_index
    cell = cell_of_node.index_select(0, source)
    x, y = position.index_select(0, source), position.index_select(0, target)
    if not bool(((cell == cell_of_node.index_select(0, target)) & (x < y)).all()):
        raise ValueError("edges must go from a lower to a higher vertex of the same cell")
    bits = torch.zeros(cells * slots, dtype=torch.bool, device=position.device)
    bits.index_fill_(0, cell * slots + slot_of(x, y), True)
    if int(bits.sum()) != len(source):
        raise ValueError("a cell has the same edge twice")
    return bits.view(cells, slots)


def _read_ops(
    x: Tensor, cell_of_node: Tensor, position: Tensor, vertices: Tensor, interior: int
) -> Tensor:
    features, last = x.argmax(1), x.shape[1] - 1
    is_last = position == vertices.index_select(0, cell_of_node) - 1
    inside = (position > 0) & ~is_last
    is_op = (features > 0) & (features < last)
    fits = torch.where(inside, is_op, features == is_last * last)
    one_hot = (x == torch.nn.functional.one_hot(features, last + 1)).all()
    if not bool(one_hot & fits.all()):
        raise ValueError("x must be one-hot with the input first, the output last, ops between")
    ops = vertices.new_zeros(len(vertices), interior)
    ops[cell_of_node[inside], position[inside] - 1] = features[inside] - 1
    return ops
