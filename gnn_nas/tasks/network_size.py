"""The sizes of networks: as they are chosen, of every vertex, and in all, without building them."""

import torch
from pydantic import Field
from torch import Tensor

from gnn_nas.config import Section
from gnn_nas.errors import UserError
from gnn_nas.spaces.known import is_known
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace
from gnn_nas.tasks.ops import check_ops, op_parameters


class NetworkConfig(Section):
    """Sizes of a network; the defaults are those of NAS-Bench-101."""

    stem_channels: int = Field(
        default=128,
        ge=NASBENCH101.max_interior,
        le=4096,
        description="channels of the first stack, doubled from stack to stack",
    )
    stacks: int = Field(
        default=3, ge=1, le=8, description="stacks of cells; between them the image is halved"
    )
    cells_per_stack: int = Field(default=3, ge=1, le=64, description="cells in a stack")
    classes: int = Field(default=10, ge=1, le=1_000_000, description="outputs of the network")
    in_channels: int = Field(default=3, ge=1, le=4096, description="channels of an image")
    norm_momentum: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="weight of a batch in the running statistics of batch normalisation;"
        " NAS-Bench-101 has 0.003, which needs thousands of steps",
    )

    def block_channels(self) -> list[tuple[int, int]]:
        """Channels that go into and come out of every cell of the network, in order."""
        widths = [self.stem_channels << stack for stack in range(self.stacks)]
        widths = [width for width in widths for _ in range(self.cells_per_stack)]
        return list(zip([self.stem_channels, *widths], widths, strict=False))


def default_sizes(space: CellSpace) -> NetworkConfig:
    """The sizes of NAS-Bench-101's networks, or where ops are on edges of NAS-Bench-201's."""
    if space.nodes is None:
        return NetworkConfig()
    return NetworkConfig(stem_channels=16, cells_per_stack=5)


def op_widths(space: CellSpace, config: NetworkConfig) -> list[int]:
    """Channels that an operation may have in networks of a space's cells, the fewest first.

    Raises:
        UserError: there are fewer channels than the vertices of a cell may share.
    """
    stacks = {after for _, after in config.block_channels()}
    if space.nodes is not None:
        return sorted(stacks)
    if config.stem_channels < space.max_interior:
        raise UserError(
            f"stem_channels of the network is {config.stem_channels}, but up to"
            f" {space.max_interior} vertices of cells of {space.name} share them: give at least"
            f" {space.max_interior}"
        )
    shares = range(1, space.max_interior + 1)
    return sorted(
        {(width + more) // share for width in stacks for share in shares for more in (0, share - 1)}
    )


def check_networks(space: CellSpace, config: NetworkConfig | None) -> None:
    """Refuse a space of whose cells no networks of these sizes can be made, before any is.

    Args:
        config: sizes of the networks; None where they are not known, as a user's own code makes
            them, if any: then ops are tried where the space has them.

    Raises:
        UserError: an op cannot be built or does not keep an image's shape, or see `op_widths`.
    """
    if is_known(space) and space.modules:
        return
    if config:
        check_ops(space, op_widths(space, config))
    elif space.modules:
        check_ops(space, [default_sizes(space).stem_channels])


def interior_channels(cells: PackedCells, out_channels: int) -> Tensor:
    """Channels of every interior vertex of pruned cells (Ying et al. 2019, section 2).

    The output concatenates what feeds it, so those vertices share its channels evenly; where that
    leaves a remainder, the first of them get one channel more. Every other vertex is as wide as the
    widest interior vertex that it feeds, so what flows is never too narrow, only truncated. Input
    and output take no part: they have the channels that the network gives them.

    Two isomorphic cells differ where the remainder goes to another vertex: NAS-Bench-101's figures
    are those of the canonical representatives.

    Shapes:
        - returns: int64 ``[B, V - 2]``, 0 where there is no vertex

    Raises:
        ValueError: there are fewer channels than vertices may share.
    """
    most = cells.space.max_interior
    if out_channels < most:
        raise ValueError(f"a cell needs at least {most} channels, got {out_channels}")
    adjacency = cells.adjacency()
    output = (cells.vertices - 1)[:, None, None].expand(-1, adjacency.shape[1], 1)
    feeds_output = adjacency.gather(2, output)[:, 1:-1, 0] & cells.has_interior()
    feeds = adjacency[:, 1:-1, 1:-1] & cells.has_interior()[:, None]

    count = feeds_output.sum(1, keepdim=True).clamp_(min=1)
    place = feeds_output.cumsum(1) - 1
    share = out_channels // count + (place < out_channels % count)
    channels = torch.where(feeds_output, share, 0)
    for vertex in reversed(range(most)):
        fed = (feeds[:, vertex] * channels).amax(1)
        channels[:, vertex] = torch.where(feeds_output[:, vertex], channels[:, vertex], fed)
    return channels


def parameter_counts(cells: PackedCells, config: NetworkConfig) -> Tensor:
    """Trainable parameters of the networks of pruned cells, about a microsecond each.

    No network is built, but each op once with every number of channels that it has. At the default
    sizes they are NAS-Bench-101's ``trainable_parameters``, and those of NAS-Bench-201.

    Shapes:
        - returns: int64 ``[B]``

    Raises:
        UserError: an op cannot be built.
    """
    blocks = config.block_channels()
    last = blocks[-1][1]
    ends = _conv(config.in_channels, config.stem_channels, 9) + (last + 1) * config.classes
    counts = torch.full_like(cells.edges, int(ends))
    if cells.space.nodes is not None:
        for before, after in blocks:
            counts += _op_counts(cells.space, torch.tensor([after]))[after, cells.ops].sum(1)
            if before != after:
                counts += _conv(before, after, 9) + _conv(after, after, 9) + before * after
        return counts + 2 * last
    # Many cells have the same matrix, which decides everything but the operations.
    masks, matrix = cells.edges.unique(return_inverse=True)
    rows = torch.arange(len(cells), device=matrix.device)
    matrices = cells[torch.empty_like(masks).scatter_(0, matrix, rows)]
    for before, after in set(blocks):
        channels = interior_channels(matrices, after)
        in_ops = _op_counts(cells.space, channels)[channels[matrix], cells.ops].sum(1)
        in_block = in_ops + _projections(matrices, channels, before, after)[matrix]
        counts += blocks.count((before, after)) * in_block
    return counts


def _op_counts(space: CellSpace, channels: Tensor) -> Tensor:
    """Trainable parameters of every op by its channels, those that are named, ``[C + 1, ops]``."""
    counts = channels.new_zeros(int(channels.max()) + 1, len(space.ops))
    for width in channels.unique().tolist():
        if width:
            counts[width] = counts.new_tensor(op_parameters(space, width))
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
