"""PyG's `Batch` of cells, put together and taken apart without collating single cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

# PyG takes longer to import than torch, so it is imported where its objects are made.
if TYPE_CHECKING:
    from torch_geometric.data import Batch


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
    nodes, edge_index = kept_part(cells, chosen.index_select(0, cells.batch))
    return build_batch(
        x=cells.x.index_select(0, nodes),
        edge_index=edge_index,
        vertices=cells.ptr.diff()[chosen],
        edge_counts=cells._slice_dict["edge_index"].diff()[chosen],
    )


def pointers(counts: Tensor) -> Tensor:
    """Where each of so many things begins, and at the end how many there are."""
    return torch.nn.functional.pad(counts.cumsum(0), (1, 0))


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
