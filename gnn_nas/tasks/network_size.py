"""How large networks are, known without building them."""

import torch
from torch import Tensor

from gnn_nas.cells.packed import PackedCells
from gnn_nas.cells.space import OPS
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
    counts = torch.full_like(cells.edges, ends)
    for channels in set(blocks):
        counts += blocks.count(channels) * _block(cells, *channels)
    return counts


def _block(cells: PackedCells, in_channels: int, out_channels: int) -> Tensor:
    """Trainable parameters of one cell in the network."""
    adjacency = cells.adjacency()
    channels = interior_channels(cells, out_channels)
    areas = torch.tensor([_KERNEL_AREAS[op] for op in OPS], device=cells.ops.device)[cells.ops]
    operations = torch.where(areas > 0, _conv(channels, channels, areas), 0)

    from_input = adjacency[:, 0, 1:-1] & cells.has_interior()
    to_output = adjacency[:, 0].gather(1, cells.vertices[:, None] - 1)
    projections = torch.where(from_input, _conv(in_channels, channels, 1), 0)
    return (
        operations.sum(1)
        + projections.sum(1)
        + torch.where(to_output[:, 0], _conv(in_channels, out_channels, 1), 0)
    )


def _conv(in_channels: int, out_channels: int | Tensor, area: int | Tensor) -> int | Tensor:
    """Of a convolution without bias, and of the scale and shift behind it."""
    return area * in_channels * out_channels + 2 * out_channels
