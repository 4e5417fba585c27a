"""A cell of NAS-Bench-Graph as a graph neural network, in plain PyTorch Geometric."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch_geometric.nn import (
    ARMAConv,
    ChebConv,
    GATConv,
    GCNConv,
    GINConv,
    GraphConv,
    SAGEConv,
)

from gnn_nas.spaces.nasbench_graph import to_links
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.tasks.network_size import NetworkConfig

HEADS = 4
"""Of attention in ``gat``: the channels of a network are a multiple of it."""

_LAYERS: dict[str, Callable[[int], nn.Module]] = {
    "gat": lambda channels: GATConv(channels, channels // HEADS, HEADS),
    "gcn": lambda channels: GCNConv(channels, channels),
    "gin": lambda channels: GINConv(nn.Linear(channels, channels)),
    "cheb": lambda channels: ChebConv(channels, channels, K=2),
    "sage": lambda channels: SAGEConv(channels, channels),
    "arma": lambda channels: ARMAConv(channels, channels),
    "graph": lambda channels: GraphConv(channels, channels),
    "fc": lambda channels: nn.Linear(channels, channels),
}


class GraphNetwork(nn.Module):
    """The network of a cell of NAS-Bench-Graph (Qin et al. 2022), which tells nodes' classes.

    A dense layer; the cell, a `TreeBlock`; a dense layer. There is no dropout. Weights begin as
    their modules make them.

    Args:
        cell: a batch of one cell of the space, as it lies in the cell table.
        config: ``stem_channels`` are those of every op, a multiple of `HEADS`, ``in_channels`` the
            features of a node; there is one cell, however many stacks there are.
        edges: of the graph, int64 ``[2, E]``, each in both directions.

    Shapes:
        - forward: features ``[N, in_channels]`` to logits ``[N, classes]``
    """

    def __init__(self, cell: PackedCells, config: NetworkConfig, edges: Tensor) -> None:
        super().__init__()
        self.stem = nn.Linear(config.in_channels, config.stem_channels)
        self.cells = TreeBlock(cell, config.stem_channels, edges)
        self.classifier = nn.Linear(self.cells.out_channels, config.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logits of all nodes."""
        return self.classifier(self.cells(self.stem(x)))

    def redraw(self) -> None:
        """Draw initial weights anew, from torch's generator, and begin batch normalisation anew."""
        self.train()
        for module in self.modules():
            if callable(reset := getattr(module, "reset_parameters", None)):
                reset()


class TreeBlock(nn.Module):
    """One cell: every op reads the input or an earlier op, and the leaves are concatenated.

    Before every op but ``skip`` are batch normalisation and ReLU, and behind the leaves is ReLU.

    Args:
        cell: a batch of one cell; channels: of every op; edges: of the graph, ``[2, E]``.

    Shapes:
        - forward: ``[N, channels]`` to ``[N, leaves * channels]``
    """

    def __init__(self, cell: PackedCells, channels: int, edges: Tensor) -> None:
        super().__init__()
        self.sources: list[int] = to_links(cell)[0].tolist()
        self.leaves = sorted({*range(1, len(self.sources) + 1)} - {*self.sources})
        self.out_channels = len(self.leaves) * channels
        self.register_buffer("edges", edges)
        names = [cell.space.ops[op] for op in cell.ops[0].tolist()]
        self.operations = nn.ModuleList(
            nn.Identity() if name == "skip" else _Operation(_LAYERS[name](channels), channels)
            for name in names
        )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Give the leaves, side by side."""
        values = [x]
        for operation, source in zip(self.operations, self.sources, strict=True):
            read = values[source]
            is_skip = isinstance(operation, nn.Identity)
            values.append(read if is_skip else operation(read, self.edges))
        return self.relu(torch.cat([values[leaf] for leaf in self.leaves], 1))


class _Operation(nn.Module):
    """Batch normalisation, ReLU and a layer."""

    def __init__(self, layer: nn.Module, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)
        self.relu = nn.ReLU()
        self.layer = layer

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        x = self.relu(self.norm(x))
        return self.layer(x) if isinstance(self.layer, nn.Linear) else self.layer(x, edges)
