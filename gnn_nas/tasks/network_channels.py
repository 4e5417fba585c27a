"""How wide the vertices of a cell are in a network."""

import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import MAX_INTERIOR
from gnn_nas.spaces.packed import PackedCells


def interior_channels(cells: PackedCells, out_channels: int) -> Tensor:
    """Channels of every interior vertex of pruned cells (Ying et al. 2019, section 2).

    The output concatenates what feeds it, so those vertices share its channels evenly; where that
    leaves a remainder, the first of them get one channel more. Every other vertex is as wide as the
    widest interior vertex that it feeds, so what flows is never too narrow, only truncated. Input
    and output take no part: they have the channels that the network gives them.

    Two isomorphic cells differ where the remainder goes to another vertex: NAS-Bench-101's figures
    are those of the canonical representatives.

    Shapes:
        - returns: int64 ``[B, 5]``, 0 where there is no vertex

    Raises:
        ValueError: there are fewer channels than vertices may share.
    """
    if out_channels < MAX_INTERIOR:
        raise ValueError(f"a cell needs at least {MAX_INTERIOR} channels, got {out_channels}")
    adjacency = cells.adjacency()
    output = (cells.vertices - 1)[:, None, None].expand(-1, adjacency.shape[1], 1)
    feeds_output = adjacency.gather(2, output)[:, 1:-1, 0] & cells.has_interior()
    feeds = adjacency[:, 1:-1, 1:-1] & cells.has_interior()[:, None]

    count = feeds_output.sum(1, keepdim=True).clamp_(min=1)
    place = feeds_output.cumsum(1) - 1
    share = out_channels // count + (place < out_channels % count)
    channels = torch.where(feeds_output, share, 0)
    for vertex in reversed(range(MAX_INTERIOR)):
        fed = (feeds[:, vertex] * channels).amax(1)
        channels[:, vertex] = torch.where(feeds_output[:, vertex], channels[:, vertex], fed)
    return channels
