"""What of a cell computes anything, where ops are zero or the identity."""

from __future__ import annotations

import torch
from torch import Tensor

from gnn_nas.spaces.packed import PackedCells


class EffectiveGraphs:
    """Valid cells that need no pruning as dense tensors of floats, as far as they have effect.

    Shapes:
        - edges: ``[B, V, V]``, number of edges between vertices, 0 or 1 but where identities are
          worked out; paths: ``[B, V, V]``, number of paths, 1 from a vertex to itself
        - is_feature: ``[F, B, V]`` of 0 and 1, for the input, each op that computes and the output;
          is_op: ``[F - 2, B, V]``, those between; interior: ``[B, V]``, their sum
        - feeds: ``[B, V]``, interior vertices with an edge to the output; feeders: ``[B]``, their
          number, but at least 1; skips: ``[B]``, edges from the input to the output
        - width: ``[B, V]``, share of the cell's channels that an interior vertex has
    """

    def __init__(self, cells: PackedCells) -> None:
        device = cells.edges.device
        self.space = space = cells.space
        self.at_output = cells.at_output
        self.edges = effective_edges(cells)
        self.paths = num_paths(self.edges)
        numbers = [0, *(1 + op for op in space.computing), len(space.ops) + 1]
        features = torch.tensor(numbers, device=device)[:, None, None]
        has_effect = self.edges.any(1)
        has_effect[:, 0] = True
        self.is_feature = ((cells.features() == features) & has_effect).float()
        self.is_op = self.is_feature[1:-1]
        self.interior = self.is_op.sum(0)
        into_output = self.at_output(self.edges)
        self.skips = into_output[:, 0]
        self.feeds = into_output * self.interior
        self.feeders = self.feeds.sum(1).clamp(min=1)
        # NAS-Bench-101's rule: the output concatenates the vertices that feed it, so these share
        # its channels; any other vertex is as wide as the widest of its readers. As these all lead
        # to the output in the end, all are equally wide (but for channels that do not divide).
        # Nodes with ops between them sum these, so that all have the channels of the cell.
        shared = 1 if space.nodes else self.feeders[:, None]
        self.width = self.interior / shared

    def depth(self, weight: Tensor, over: str) -> Tensor:
        """Summed weight of the vertices on the way from the input to each vertex, ``[B, V]``.

        A vertex's own weight counts. Over the edges into a vertex it takes the heaviest way
        ("max"), the lightest ("min") or the average ("mean").
        """
        absent = -torch.inf if over == "max" else torch.inf
        depths = [torch.zeros_like(weight[:, 0])]
        for vertex in range(1, weight.shape[1]):
            edges, before = self.edges[:, :vertex, vertex], torch.stack(depths, 1)
            if over == "mean":
                joined = (before * edges).sum(1) / edges.sum(1).clamp(min=1)
            else:
                before = torch.where(edges > 0, before, absent)
                joined = before.amax(1) if over == "max" else before.amin(1)
            # Vertices that the cell does not have are reached by no edge.
            depths.append(torch.where(edges.any(1), joined, 0.0) + weight[:, vertex])
        return torch.stack(depths, 1)


def effective_edges(cells: PackedCells) -> Tensor:
    """How many edges lead from vertex to vertex of the network that a cell stands for.

    1. A vertex of the space's ``zero`` gives nothing to those behind it: its edges go.
    2. A vertex of the ``identity`` gives what it is given: every two edges through it become one
       from before it to behind it, so there may be several between the same vertices.
    3. What then lies on no path from input to output is of no effect: its edges go.

    In a space without the two ops these are the edges of a pruned cell.

    Shapes:
        - returns: float32 ``[B, V, V]``
    """
    space, features = cells.space, cells.features()
    edges = cells.adjacency().float()
    if len(space.computing) == len(space.ops):
        return edges
    if space.zero is not None:
        edges = _without(edges, features == space.features.index(space.zero))
    if space.identity is not None:
        passes = features == space.features.index(space.identity)
        # In topological order, so that what leads through several is joined bit by bit.
        for vertex in range(1, space.max_vertices - 1):
            through = edges[:, :, vertex, None] * edges[:, vertex, None, :]
            edges = edges + through * passes[:, vertex, None, None]
        edges = _without(edges, passes)
    paths = num_paths(edges)
    on_a_path = (paths[:, 0] > 0) & (cells.at_output(paths) > 0)
    return _without(edges, ~on_a_path)


def num_paths(edges: Tensor) -> Tensor:
    """How many paths lead from vertex to vertex, 1 from each to itself, ``[B, V, V]``."""
    itself = torch.eye(edges.shape[-1], device=edges.device)
    paths = itself
    for _ in range(edges.shape[-1] - 1):
        paths = itself + paths @ edges
    return paths


def _without(edges: Tensor, dropped: Tensor) -> Tensor:
    """Edges but for those of some vertices, bool ``[B, V]``."""
    return edges.masked_fill(dropped[:, :, None] | dropped[:, None, :], 0)
