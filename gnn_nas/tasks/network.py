"""A cell as a network that can be trained: the skeletons of NAS-Bench-101 and 201 in any size."""

from collections.abc import Iterator
from functools import reduce

import torch
from torch import Tensor, nn

from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.space import node_edges
from gnn_nas.tasks.network_size import NetworkConfig, interior_channels
from gnn_nas.tasks.ops import ConvNormRelu, ReluConvNorm, build_op


class CellNetwork(nn.Module):
    """The network in which a cell is trained: its benchmark's, or that of cells like these.

    A stem, a 3×3 convolution; stacks of the same cell, with twice the channels on half the image
    from one stack to the next; global average pooling; a dense layer. Images of any height and
    width will do.

    Where ops are on vertices, it is NAS-Bench-101's (Ying et al. 2019, section 2): a cell is a
    `CellBlock`, between stacks is max pooling of stride 2. Where they are on edges, it is
    NAS-Bench-201's (Dong & Yang 2020, section 2.1): a cell is an `EdgeBlock`, between stacks is a
    `ResidualBlock`, and batch normalisation and ReLU are before the pooling. At the sizes of
    `gnn_nas.tasks.network_size.default_sizes` the trainable parameters are exactly the official
    ones, see `gnn_nas.tasks.network_size.parameter_counts`.

    Weights begin as officially in NAS-Bench-101, those of ops of the user's own included: normal
    with variance 1 / fan-in in `Conv2d`, Glorot uniform in `Linear`; and every `BatchNorm2d` gets
    the config's ``norm_momentum``. All others begin as their module makes them.

    Args:
        cell: a batch of one pruned cell, as it lies in the cell table; its ops are built by the
            ``modules`` of its space, see `gnn_nas.tasks.ops`.
        config: sizes of the network.
        seed: of the initial weights, which are then the same wherever they are drawn, and leave
            torch's generator as it was; without it they come from there.

    Shapes:
        - forward: ``[B, in_channels, H, W]`` to logits ``[B, classes]``

    Raises:
        ValueError: not one cell, or one that is invalid or not pruned, or too few channels for it.
        UserError: its ops cannot be built.
    """

    def __init__(self, cell: PackedCells, config: NetworkConfig, seed: int | None = None) -> None:
        super().__init__()
        _check(cell)
        self.config = config
        # Drawn on the CPU, so the generators of other devices need no care.
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            self._build(cell)
            self.apply(_initialise)

    def redraw(self) -> None:
        """Draw initial weights anew, from torch's generator, and begin batch normalisation anew.

        Only where all ops are the package's own: with what others begin, their modules alone know.
        """
        self.train()
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
            else:
                _initialise(module)

    def _build(self, cell: PackedCells) -> None:
        config = self.config
        self.stem: nn.Sequential = ConvNormRelu(config.in_channels, config.stem_channels, 3)
        if cell.space.nodes is None:
            self.cells = nn.Sequential(*_vertex_layers(cell, config))
        else:
            # Without its ReLU: one begins the operations.
            self.stem = nn.Sequential(*list(self.stem)[:-1])
            self.cells = nn.Sequential(*_edge_layers(cell, config))
        self.classifier = nn.Linear(config.block_channels()[-1][1], config.classes)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = config.norm_momentum

    def forward(self, images: Tensor) -> Tensor:
        """Give the logits of a batch of images."""
        return self.classifier(self.cells(self.stem(images)).mean((2, 3)))


class CellBlock(nn.Module):
    """One cell in a network: its vertices with their operations and channels.

    A vertex reads the sum of what feeds it: the cell's input through a 1×1 projection, other
    vertices truncated to its own channels. The output concatenates the vertices that feed it and
    adds the projected input where there is an edge from it.

    Args:
        cell: a batch of one pruned cell.
        in_channels, out_channels: of the input and the output vertex.
    """

    def __init__(self, cell: PackedCells, in_channels: int, out_channels: int) -> None:
        super().__init__()
        inner = int(cell.vertices) - 2
        widths = interior_channels(cell, out_channels)[0, :inner].tolist()
        adjacency = cell.adjacency()[0].tolist()
        self.sources = [
            [source for source in range(inner) if adjacency[1 + source][vertex]]
            for vertex in range(1, inner + 2)
        ]
        self.widths = [*widths, out_channels]
        self.projections = nn.ModuleDict(
            {
                str(vertex): ConvNormRelu(in_channels, width, 1)
                for vertex, width in enumerate(self.widths)
                if adjacency[0][vertex + 1]
            }
        )
        self.operations = nn.ModuleList(
            build_op(cell.space, op, width)
            for op, width in zip(cell.ops[0, :inner].tolist(), widths, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Give the output vertex, ``[B, in_channels, H, W]`` to ``[B, out_channels, H, W]``."""
        projected = {int(vertex): project(x) for vertex, project in self.projections.items()}
        values: list[Tensor] = []
        for vertex, operation in enumerate(self.operations):
            read = [values[source][:, : self.widths[vertex]] for source in self.sources[vertex]]
            values.append(operation(_sum([*read, *_at(projected, vertex)])))
        joined = [torch.cat([values[source] for source in self.sources[-1]], 1)] if values else []
        return _sum([*joined, *_at(projected, len(values))])


class EdgeBlock(nn.Module):
    """One cell in a network whose operations are on edges (Dong & Yang 2020).

    A node is the sum of what comes over the edges into it; the first is the input, the last the
    output, and all have the same channels.

    Args:
        cell: a batch of one cell; channels: of every node.
    """

    def __init__(self, cell: PackedCells, channels: int) -> None:
        super().__init__()
        self.nodes = cell.space.nodes or 0
        self.edges = node_edges(self.nodes)
        self.operations = nn.ModuleList(
            build_op(cell.space, op, channels) for op in cell.ops[0].tolist()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Give the last node, of the shape of ``x``."""
        values = [x]
        for node in range(1, self.nodes):
            into = zip(self.edges, self.operations, strict=True)
            values.append(
                _sum([operation(values[source]) for (source, to), operation in into if to == node])
            )
        return values[-1]


class ResidualBlock(nn.Module):
    """Halves the image between stacks, as in NAS-Bench-201, with a short cut (He et al. 2016).

    Two 3×3 convolutions, the first of stride 2; beside them average pooling and a 1×1 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            ReluConvNorm(in_channels, out_channels, 3, stride=2),
            ReluConvNorm(out_channels, out_channels, 3),
        )
        self.shortcut = nn.Sequential(
            # Rounded up, as convolutions of stride 2 do, so that an image never vanishes.
            nn.AvgPool2d(2, ceil_mode=True),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``[B, in_channels, H, W]`` to ``[B, out_channels, H / 2, W / 2]``, rounded up."""
        return self.convolutions(x) + self.shortcut(x)


def _vertex_layers(cell: PackedCells, config: NetworkConfig) -> Iterator[nn.Module]:
    for number, (before, after) in enumerate(config.block_channels()):
        if number and number % config.cells_per_stack == 0:
            # Rounded up, as in TensorFlow, so that an image never vanishes.
            yield nn.MaxPool2d(2, ceil_mode=True)
        yield CellBlock(cell, before, after)


def _edge_layers(cell: PackedCells, config: NetworkConfig) -> Iterator[nn.Module]:
    for before, after in config.block_channels():
        if before != after:
            yield ResidualBlock(before, after)
        yield EdgeBlock(cell, after)
    yield nn.BatchNorm2d(after)
    yield nn.ReLU()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


def _check(cell: PackedCells) -> None:
    if len(cell) != 1:
        raise ValueError(f"a network is made of one cell, got {len(cell)}")
    pruned, valid = prune(cell)
    if not valid.item():
        raise ValueError(
            "the cell is invalid: output not reached from the input, or too many edges"
        )
    if pruned.vertices.item() != cell.vertices.item():
        raise ValueError("the cell must be pruned: a vertex lies on no path from input to output")


def _at(projected: dict[int, Tensor], vertex: int) -> list[Tensor]:
    return [projected[vertex]] if vertex in projected else []


def _sum(tensors: list[Tensor]) -> Tensor:
    return reduce(torch.add, tensors)
