"""What a cell's graph says about the network it stands for, as numbers: no training is needed.

Two blocks of columns. *Shape*: how many vertices of every op there are, how wide they are, how deep
the cell is in them. *Patterns*: which op comes before which, and the op sequences along the paths.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gnn_nas.cells.packed import PackedCells
from gnn_nas.cells.space import MAX_VERTICES, OPS

NUM_SHAPE, NUM_PATTERNS = 53, 88

_LONGEST_SEQUENCE = 3
# Parameters of an op of unit width: those of a 3x3, a 1x1 convolution, a pooling.
_PARAMETERS = (9.0, 1.0, 0.0)


def structure(cells: PackedCells) -> tuple[Tensor, Tensor]:
    """Summarise valid unpruned cells.

    Shapes:
        - returns: float32 ``[B, 53]``, the shape, and ``[B, 88]``, the patterns
    """
    graphs = _Graphs(cells)
    return _shape(graphs), _patterns(graphs)


class _Graphs:
    """Cells as dense tensors of floats.

    Shapes:
        - edges: ``[B, 7, 7]`` of 0 and 1; paths: ``[B, 7, 7]``, number of paths between vertices,
          1 from a vertex to itself
        - is_op: ``[3, B, 7]`` of 0 and 1; interior: ``[B, 7]``, their sum
        - feeds: ``[B, 7]``, interior vertices with an edge to the output; skips: ``[B]``, whether
          the input has one
        - width: ``[B, 7]``, share of the cell's channels that an interior vertex has
    """

    def __init__(self, cells: PackedCells) -> None:
        count, device = len(cells), cells.edges.device
        self.vertices = cells.vertices
        self.edges = cells.adjacency().float()
        self.paths = torch.eye(MAX_VERTICES, device=device).expand_as(self.edges)
        for _ in range(MAX_VERTICES - 1):
            self.paths = torch.eye(MAX_VERTICES, device=device) + self.paths @ self.edges
        self.is_op = torch.zeros(len(OPS), count, MAX_VERTICES, device=device)
        self.is_op[:, :, 1:-1] = one_hot(cells.ops, len(OPS)).permute(2, 0, 1)
        self.is_op[:, :, 1:-1] *= cells.has_interior()
        self.interior = self.is_op.sum(0)
        into_output = self.at_output(self.edges)
        self.skips = into_output[:, 0]
        self.feeds = into_output * self.interior
        self.width = self._widths()

    def at_output(self, values: Tensor) -> Tensor:
        """The output vertex's entry of the last dimension, ``[B, ..., 7] -> [B, ...]``."""
        index = (self.vertices - 1).view(-1, *[1] * (values.dim() - 1))
        return values.gather(-1, index.expand(*values.shape[:-1], 1)).squeeze(-1)

    def depth(self, weight: Tensor, over: str) -> Tensor:
        """Weight of the vertices from the input up to each vertex, ``[B, 7]``.

        Over the edges into a vertex it takes the heaviest ("max"), the lightest ("min") or the
        average ("mean").
        """
        absent = {"max": -torch.inf, "min": torch.inf, "mean": 0.0}[over]
        depths = [torch.zeros_like(weight[:, 0])]
        for vertex in range(1, MAX_VERTICES):
            edges = self.edges[:, :vertex, vertex]
            before = torch.where(edges > 0, torch.stack(depths, 1), absent)
            if over == "mean":
                joined = before.sum(1) / edges.sum(1).clamp(min=1)
            else:
                joined = before.amax(1) if over == "max" else before.amin(1)
            # Vertices that the cell does not have are reached by no edge.
            depths.append(torch.where(edges.any(1), joined, 0.0) + weight[:, vertex])
        return torch.stack(depths, 1)

    def _widths(self) -> Tensor:
        # NAS-Bench-101's rule: the output concatenates the vertices that feed it, so these share
        # its channels; any other vertex is as wide as the widest of its readers.
        share = self.feeds / self.feeds.sum(1, keepdim=True).clamp(min=1)
        width = share.clone()
        for vertex in reversed(range(1, MAX_VERTICES - 1)):
            readers = (self.edges[:, vertex] * width).amax(1)
            width[:, vertex] = torch.where(self.feeds[:, vertex] > 0, share[:, vertex], readers)
        return width * self.interior


def _shape(graphs: _Graphs) -> Tensor:
    edges, feeds, width, is_op = graphs.edges, graphs.feeds, graphs.width, graphs.is_op
    feeders = feeds.sum(1).clamp(min=1)
    to, onward = graphs.paths[:, 0], graphs.at_output(graphs.paths)
    paths = graphs.at_output(to)
    parameters = sum(
        weight * (op * width**2).sum(1) for weight, op in zip(_PARAMETERS, is_op, strict=True)
    )
    columns = [
        graphs.vertices.float(),
        edges.sum((1, 2)),
        feeders,
        graphs.skips,
        (edges[:, 0] * graphs.interior).sum(1),
        width.sum(1),
        width.sum(1) / graphs.interior.sum(1).clamp(min=1),
        parameters.log1p(),
        paths.log(),
        graphs.at_output(graphs.depth(width, "max")),
    ]
    for weight in (graphs.interior, is_op[0] + is_op[1], *is_op):
        columns += [graphs.at_output(graphs.depth(weight, over)) for over in ("max", "min")]
    for op in is_op:
        longest, mean = graphs.depth(op, "max"), graphs.depth(op, "mean")
        columns += [
            op.sum(1),
            (op * feeds).sum(1),
            (op * width).sum(1),
            (op * width**2).sum(1),
            (op * edges.sum(1)).sum(1),
            (op * to * onward).sum(1) / paths,
            (longest * feeds).sum(1) / feeders,
            torch.where(feeds > 0, longest, MAX_VERTICES).amin(1),
            (mean * feeds).sum(1) / feeders,
            (mean * width).sum(1),
            graphs.at_output(graphs.depth(op * width, "max")),
        ]
    return torch.stack(columns, dim=1)


def _patterns(graphs: _Graphs) -> Tensor:
    edges = graphs.edges
    first, last = torch.zeros_like(graphs.interior), torch.zeros_like(graphs.interior)
    first[:, 0] = 1
    last.scatter_(1, graphs.vertices[:, None] - 1, 1.0)
    sources, targets = torch.stack([first, *graphs.is_op]), torch.stack([*graphs.is_op, last])
    apart = graphs.paths - torch.eye(MAX_VERTICES, device=edges.device)
    columns = [
        torch.einsum("sbx,bxy,tby->bst", sources, related.clamp(max=1), targets).flatten(1)
        for related in (edges, edges @ edges, apart)
    ]
    # Paths by their op sequence: how many arrive at each vertex, and how many end in the output.
    into_output = graphs.at_output(edges)
    arriving = [edges[:, 0]]
    columns.append(graphs.skips[:, None])
    for _ in range(_LONGEST_SEQUENCE):
        passed = [paths * op for paths in arriving for op in graphs.is_op]
        columns += [(paths * into_output).sum(1, keepdim=True) for paths in passed]
        arriving = [torch.einsum("bv,bvw->bw", paths, edges) for paths in passed]
    return torch.cat(columns, dim=1)
