"""How large networks are, known without building them."""

import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import OPS
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.tasks.network import NetworkConfig
from gnn_nas.tasks.network_channels import interior_channels

# Weights of an operation for every pair of channels; pooling has none.
_KERNEL_AREAS = {"conv3x3-bn-relu": 9, "conv1x1-bn-relu": 1, "maxpool3x3": 0}


def parameter_counts(cells: PackedCells, config: NetworkConfig) -> Tensor:
    """Trainable parameters of the networks of pruned cells, about a microsecond each.

    At the default sizes they are NAS-Bench-101's ``trainable_parameters``.

    Shapes:
        - returns: int64 ``[B]``
    """
    blocks = config.block_channels()
    last = blocks[-1][1]
    ends = _conv(config.in_channels, config.stem_channels, 9) + (last + 1) * config.classes
    counts = torch.full_like(cells.edges, int(ends))
    # Many cells have the same matrix, which decides everything but the operations.
    masks, matrix = cells.edges.unique(return_inverse=True)
    rows = torch.arange(len(cells), device=matrix.device)
    matrices = cells[torch.empty_like(masks).scatter_(0, matrix, rows)]
    areas = torch.tensor([_KERNEL_AREAS[op] for op in OPS], device=matrix.device)[cells.ops]
    for before, after in set(blocks):
        channels = interior_channels(matrices, after)
        convolutions = torch.where(areas > 0, _conv(channels[matrix], channels[matrix], areas), 0)
        in_block = convolutions.sum(1) + _projections(matrices, channels, before, after)[matrix]
        counts += blocks.count((before, after)) * in_block
    return counts


def _projections(cells: PackedCells, channels: Tensor, before: int, after: int) -> Tensor:
    """Trainable parameters of the projections of the input, int64 ``[B]``."""
    from_input = cells.adjacency()[:, 0]
    to_output = from_input.gather(1, cells.vertices[:, None] - 1)[:, 0]
    to_interior = from_input[:, 1:-1] & cells.has_interior()
    return torch.where(to_interior, _conv(before, channels, 1), 0).sum(1) + to_output * _conv(
        before, after, 1
    )


def _conv(
    in_channels: int | Tensor, out_channels: int | Tensor, area: int | Tensor
) -> int | Tensor:
    """Of a convolution without bias, and of the scale and shift behind it."""
    return area * in_channels * out_channels + 2 * out_channels
