"""Edit operations on the node features and edges of a whole `Batch` of cells.

Every function returns a new `Batch`, leaves its argument as it was, and edits a single cell as a
batch of one. None checks that the result is a valid cell: see `gnn_nas.spaces.positives`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gnn_nas.spaces.batch import build_batch, kept_part
from gnn_nas.spaces.packed import edges_between
from gnn_nas.spaces.space import num_slots, slot_of

if TYPE_CHECKING:
    from torch_geometric.data import Batch


def change_ops(batch: Batch, nodes: Tensor, ops: Tensor) -> Batch:
    """Give interior vertices another operation; one unit edit each.

    Shapes:
        - nodes: ``[N]``, distinct node numbers within the batch
        - ops: ``[N]``, number of the op in the space
    """
    x = batch.x.clone()
    x[nodes] = torch.eye(x.shape[1], device=x.device)[ops + 1]
    return build_batch(x, batch.edge_index, batch.ptr.diff(), _edge_counts(batch))


def toggle_edges(batch: Batch, cells: Tensor, slots: Tensor) -> Batch:
    """Remove an edge where there is one, add it where there is none; one unit edit each.

    Shapes:
        - cells: ``[N]``, position of the cell in the batch
        - slots: ``[N]``, edge slots within the cell; all pairs (cell, slot) distinct
    """
    cell = batch.batch.index_select(0, batch.edge_index[0])
    x, y = batch.edge_index - batch.ptr.index_select(0, cell)
    columns = num_slots(int(batch.ptr.diff().max())) if batch.num_graphs else 0
    bits = batch.ptr.new_zeros(batch.num_graphs, columns, dtype=torch.bool)
    bits.view(-1)[cell * columns + slot_of(x, y)] = True
    bits.view(-1)[cells * columns + slots] ^= True
    return build_batch(batch.x, edges_between(bits, batch.ptr), batch.ptr.diff(), bits.sum(1))


def delete_vertices(batch: Batch, nodes: Tensor) -> Batch:
    """Delete vertices with all their edges; one unit edit each and one for every edge.

    Shapes:
        - nodes: ``[N]``, distinct node numbers within the batch
    """
    kept = torch.ones(len(batch.x), dtype=torch.bool, device=batch.x.device)
    kept[nodes] = False
    nodes_kept, edge_index = kept_part(batch, kept)
    cell_of_node = batch.batch.index_select(0, nodes_kept)
    cells = batch.num_graphs
    return build_batch(
        batch.x.index_select(0, nodes_kept),
        edge_index,
        torch.bincount(cell_of_node, minlength=cells),
        torch.bincount(cell_of_node.index_select(0, edge_index[0]), minlength=cells),
    )


def _edge_counts(batch: Batch) -> Tensor:
    return torch.bincount(
        batch.batch.index_select(0, batch.edge_index[0]), minlength=batch.num_graphs
    )
