"""A cell as a network that can be trained: the skeleton of NAS-Bench-101 in any size."""

from functools import reduce

import torch
from torch import Tensor, nn

from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.pruning import prune
from gnn_nas.tasks.network_size import NetworkConfig, interior_channels


class CellNetwork(nn.Module):
    """The network in which NAS-Bench-101 trains a cell (Ying et al. 2019, section 2).

    A stem, a 3×3 convolution; stacks of the same cell, with max pooling of stride 2 and twice the
    channels from one stack to the next; global average pooling; a dense layer. Images of any height
    and width will do. At the default sizes the trainable parameters are exactly the official ones,
    see `gnn_nas.tasks.network_size.parameter_counts`. Weights begin as officially: normal with
    variance 1 / fan-in in convolutions, Glorot uniform in the dense layer.

    Args:
        cell: a batch of one pruned cell, as it lies in the cell table.
        config: sizes of the network.
        seed: of the initial weights, which are then the same wherever they are drawn, and leave
            torch's generator as it was; without it they come from there.

    Shapes:
        - forward: ``[B, in_channels, H, W]`` to logits ``[B, classes]``

    Raises:
        ValueError: not one cell, or one that is invalid or not pruned.
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

    def _build(self, cell: PackedCells) -> None:
        config = self.config
        self.stem = ConvNormRelu(config.in_channels, config.stem_channels, 3, config.norm_momentum)
        self.cells = nn.Sequential()
        for number, (before, after) in enumerate(config.block_channels()):
            if number and number % config.cells_per_stack == 0:
                # Rounded up, as in TensorFlow, so that an image never vanishes.
                self.cells.append(nn.MaxPool2d(2, ceil_mode=True))
            self.cells.append(CellBlock(cell, before, after, config.norm_momentum))
        self.classifier = nn.Linear(after, config.classes)

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
        norm_momentum: see `NetworkConfig`.
    """

    def __init__(
        self, cell: PackedCells, in_channels: int, out_channels: int, norm_momentum: float
    ) -> None:
        super().__init__()
        inner = int(cell.vertices) - 2
        widths = interior_channels(cell, out_channels)[0, :inner].tolist()
        adjacency = cell.adjacency()[0]
        self.sources = [
            adjacency[1:-1, vertex].nonzero().flatten().tolist() for vertex in range(1, inner + 2)
        ]
        self.widths = [*widths, out_channels]
        self.projections = nn.ModuleDict(
            {
                str(vertex): ConvNormRelu(in_channels, width, 1, norm_momentum)
                for vertex, width in enumerate(self.widths)
                if adjacency[0, vertex + 1]
            }
        )
        self.operations = nn.ModuleList(
            _operation(cell.space.ops[op], width, norm_momentum)
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


class ConvNormRelu(nn.Sequential):
    """Convolution of stride 1 that keeps the image's size, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, momentum: float) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel, padding="same", bias=False),
            nn.BatchNorm2d(out_channels, momentum=momentum),
            nn.ReLU(),
        )


def _operation(op: str, channels: int, momentum: float) -> nn.Module:
    match op:
        case "conv3x3-bn-relu":
            return ConvNormRelu(channels, channels, 3, momentum)
        case "conv1x1-bn-relu":
            return ConvNormRelu(channels, channels, 1, momentum)
        case "maxpool3x3":
            return nn.MaxPool2d(3, stride=1, padding=1)
    raise ValueError(f"no network has an op {op}: those of {NASBENCH101.name} are built")


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
