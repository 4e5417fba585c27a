"""The GIN encoder: from a batch of cells to L2-normalised embeddings."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from gnn_nas.models.row_sums import RowSums
from gnn_nas.spaces.nasbench101 import NASBENCH101

if TYPE_CHECKING:
    from torch_geometric.data import Batch

    from gnn_nas.spaces.packed import Graphs

# States are filled up with unused ones to a multiple of this: a matrix product of a size that was
# met before takes a third less, and every size met costs memory.
_MULTIPLE = 256
# Of integers that float64 holds, less one for the rounding of the logarithm.
_KEY_BITS = 52


class DirectedGINConv(nn.Module):
    """A GIN layer that aggregates in- and out-neighbours separately (Xu et al. 2018).

    ``h'_v = MLP([h_v, sum over u -> v of h_u, sum over v -> u of h_u])``; keeping the directions
    apart gives it the power of NAS-Bench-101's module hash, which one sum over both lacks.

    Shapes:
        - x: ``[vertices, in_channels]``; edge_index: ``[2, edges]``
        - returns: ``[vertices, out_channels]``
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(3 * in_channels, out_channels),
            nn.ReLU(),
            nn.Linear(out_channels, out_channels),
            nn.ReLU(),
        )

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        return self.mlp(self.aggregate(x, edge_index))

    def aggregate(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """Each vertex's state, the sum of its predecessors' and that of its successors'."""
        source, target = edge_index
        incoming = torch.zeros_like(x).index_add(0, target, x.index_select(0, source))
        outgoing = torch.zeros_like(x).index_add(0, source, x.index_select(0, target))
        return torch.cat([x, incoming, outgoing], dim=1)

    def fused(self, states: Tensor, around: RowSums) -> Tensor:
        """`forward` where vertices share states, the sums taken after the first product.

        States that vertices share are multiplied once, and what is summed is narrower.

        Shapes:
            - states: ``[states, in_channels]``; around: see `neighbourhoods`
            - returns: ``[at least vertices, out_channels]``
        """
        layers: list[Any] = [*self.mlp]
        linear, *others = layers
        weight = torch.cat(linear.weight.chunk(3, dim=1))
        parts = nn.functional.linear(states, weight).view(-1, linear.out_features)
        x = around(parts)
        x = x + linear.bias.to(x.dtype)
        for layer in others:
            x = layer(x)
        return x


def neighbourhoods(state: Tensor, edge_index: Tensor, num_states: int) -> RowSums:
    """What every vertex sums in a layer: a part of its own state and of every neighbour's.

    A state has three rows: what it gives to its own vertices, to their successors, to their
    predecessors.

    Shapes:
        - state: int64 ``[vertices]``, number of each vertex's state; edge_index: ``[2, edges]``
    """
    source, target = edge_index
    vertices = torch.arange(len(state), device=state.device)
    given, taken = 3 * state.index_select(0, source), 3 * state.index_select(0, target)
    parts = torch.cat([3 * state, given + 1, taken + 2])
    into = torch.cat([vertices, target, source])
    return RowSums(parts, into, 3 * num_states, _filled_up(len(state)))


def _filled_up(count: int) -> int:
    return -(-count // _MULTIPLE) * _MULTIPLE


class GINEncoder(nn.Module):
    """GIN layers, the sum of every layer over the cell, a linear map of it to the unit sphere.

    It is a `gnn_nas.models.encoder.Encoder`. What `encode` computes is::

        x, pooled = cells.x, [global_add_pool(cells.x, cells.batch)]
        for conv in convs:
            x = conv(x, cells.edge_index)
            pooled.append(global_add_pool(x, cells.batch))
        return normalize(project(cat(pooled, dim=1)), dim=1)

    Args:
        embedding_size: dimension of the result.
        hidden: width of the layers; layers: their number.
        features: columns of ``x``.
    """

    def __init__(
        self,
        embedding_size: int,
        hidden: int,
        layers: int,
        features: int = len(NASBENCH101.features),
    ) -> None:
        super().__init__()
        self.embedding_size = embedding_size
        widths = [features] + [hidden] * layers
        self.convs = nn.ModuleList(DirectedGINConv(a, b) for a, b in pairwise(widths))
        self.project = nn.Linear(sum(widths), embedding_size)

    def encode(self, cells: Batch | Graphs) -> Tensor:
        """Embeddings of length 1, ``[B, embedding_size]``."""
        x, edge_index = cells.x.to(self.project.weight.dtype), cells.edge_index
        vertices = torch.arange(len(x), device=x.device)
        whole = RowSums(vertices, cells.batch, _filled_up(len(x)), cells.num_graphs)
        features = x.new_zeros(cells.num_graphs, x.shape[1]).index_add(0, cells.batch, x)
        # After the first layer vertices are alike that agree in their op and their neighbours'
        # ops. Six of seven are like another, so that this layer, and the next one's first product,
        # are computed once for all that are alike.
        convs: list[Any] = [*self.convs]
        first, *others = convs
        alike, state = distinct_rows(first.aggregate(x, edge_index))
        states = first.mlp(alike)
        alike_in_cells = RowSums(state, cells.batch, len(states), cells.num_graphs)
        pooled = [features, alike_in_cells(states)]
        for conv in others:
            states = conv.fused(states, neighbourhoods(state, edge_index, len(states)))
            state = vertices
            pooled.append(whole(states))
        # In full precision even under autocast: cells are to stay apart.
        with torch.autocast(x.device.type, enabled=False):
            projected = self.project(torch.cat([part.to(x.dtype) for part in pooled], dim=1))
            return nn.functional.normalize(projected, dim=1)


@torch.no_grad()
def distinct_rows(counts: Tensor) -> tuple[Tensor, Tensor]:
    """The distinct rows of a matrix, rows of zeros below, and which of them every row is.

    Rows of whole numbers are packed into one float64 each, which holds integers of 53 bits. Where
    they need more, or are no whole numbers, every row counts as distinct: slower, and as right.

    Shapes:
        - counts: ``[N, columns]``, N at least 1
        - returns: ``[at least the number of distinct rows, columns]`` and int64 ``[N]``
    """
    rows, columns = counts.shape
    least, largest = counts.aminmax()
    base = largest.double() + 1
    fits = (least >= 0) & (counts == counts.round()).all() & (columns * base.log2() < _KEY_BITS)
    places = torch.arange(columns, device=counts.device)
    keys = counts.double() @ base**places
    # Chosen on the device: the host waits once, for the number of keys.
    keys = torch.where(fits, keys, torch.arange(rows, dtype=keys.dtype, device=keys.device))
    keys, number = keys.unique(return_inverse=True)
    distinct = counts.new_zeros(_filled_up(len(keys)), columns)
    return distinct.index_copy_(0, number, counts), number
