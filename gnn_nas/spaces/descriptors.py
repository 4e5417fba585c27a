"""What a cell's graph says about the network it stands for, as numbers: no training is needed.

Blocks of columns. *Shape*: how many vertices of every op there are, how wide they are, how deep the
cell is in them. *Patterns*: which op comes before which, and the op sequences along the paths.
Isomorphic cells have the same. *Layout*, where the wiring is fixed: which op is at which vertex.
Where a space has ops that are zero or the identity, all this is said of what is left when they are
worked out, see `gnn_nas.spaces.effective`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from gnn_nas.spaces.cache import open_cached
from gnn_nas.spaces.effective import EffectiveGraphs
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.known import is_known
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import CellTable
from gnn_nas.tensor_file import checksum
from gnn_nas.user_folders import cache_folder

# Sequences of ops are followed to this length, where there are no more of them than that.
_LONGEST_SEQUENCE, _MOST_SEQUENCES = 3, 200
# Part of the file name, and another where other figures are computed: no older file is misread.
_VERSION = 1
_NAME = "descriptors"
_CHUNK = 8192
# Random cells that stand for a space without a table.
_SAMPLE = 50_000
# In standard deviations: a few cells have tens of times the usual number of some path.
_LARGEST = 4.0


def num_descriptors(space: CellSpace) -> tuple[int, ...]:
    """Columns of every block: 53 of the shape and 88 of the patterns in NAS-Bench-101."""
    ops = len(space.computing)
    shape = 10 + 2 * (2 + ops) + 11 * ops
    sequences = sum(ops**length for length in range(_longest_sequence(ops) + 1))
    patterns = 3 * (ops + 1) ** 2 + sequences
    return (shape, patterns, ops * space.max_interior) if space.wiring else (shape, patterns)


def _longest_sequence(ops: int) -> int:
    lengths = range(1, _LONGEST_SEQUENCE + 1)
    return max(length for length in lengths if length == 1 or ops**length <= _MOST_SEQUENCES)


def descriptors(cells: PackedCells) -> tuple[Tensor, ...]:
    """Summarise valid cells that need no pruning.

    Shapes:
        - returns: float32, the shape, the patterns and, where the wiring is fixed, the layout, as
          many columns as `num_descriptors` says
    """
    graphs = EffectiveGraphs(cells)
    blocks = _shape(graphs), _patterns(graphs)
    return (*blocks, _layout(graphs)) if cells.space.wiring else blocks


def _shape(graphs: EffectiveGraphs) -> Tensor:
    """Counts, widths and depths; the numbers of columns are those of NAS-Bench-101.

    A path leads from the input to the output, and a feeder is an interior vertex with an edge to
    the output. Columns:

        - 0-9, of the whole cell: vertices; edges; feeders (at least 1); whether the input has an
          edge to the output; edges from the input to the interior; total and mean width of the
          interior; logarithm of 1 + parameters; logarithm of the number of paths; largest total
          width on a path
        - 10-19: most and fewest vertices on a path, of any op, of one with parameters, of each op
        - 20-30, 31-41, 42-52, of each op: vertices; feeders; total width; total squared width;
          edges into them; their mean number on a path; how many are on the way to a feeder and in
          it, at most: mean and minimum over feeders (7 without any, the most vertices of a cell);
          the same on average: mean over feeders, and sum over the interior weighted by width; their
          largest total width on a path
    """
    edges, feeds, feeders = graphs.edges, graphs.feeds, graphs.feeders
    width, is_op = graphs.width, graphs.is_op
    weights = [graphs.space.parameters[op] for op in graphs.space.computing]
    to, onward = graphs.paths[:, 0], graphs.at_output(graphs.paths)
    # There is none where zeros cut all.
    paths = graphs.at_output(to).clamp(min=1)
    parameters = sum(
        weight * (op * width**2).sum(1) for weight, op in zip(weights, is_op, strict=True)
    )
    has_parameters = is_op[torch.tensor(weights, device=is_op.device) > 0].sum(0)
    columns = [
        2 + graphs.interior.sum(1),
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
    for counted in (graphs.interior, has_parameters, *is_op):
        columns += [graphs.at_output(graphs.depth(counted, over)) for over in ("max", "min")]
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
            torch.where(feeds > 0, longest, graphs.space.max_vertices).amin(1),
            (mean * feeds).sum(1) / feeders,
            (mean * width).sum(1),
            graphs.at_output(graphs.depth(op * width, "max")),
        ]
    return torch.stack(columns, dim=1)


def _patterns(graphs: EffectiveGraphs) -> Tensor:
    """Counts of pairs of vertices and of paths, by op; columns as of NAS-Bench-101.

    Columns:

        - 0-15, 16-31, 32-47: pairs of vertices joined by an edge, by a path of two edges, by any
          path; of these, for the input and each op (4 columns each) those that lead to a vertex of
          each op and to the output
        - 48-87: paths from the input to the output whose vertices between have no op (the edge), a
          certain op (3), a certain sequence of two (9), of three (27), in lexicographic order
    """
    edges = graphs.edges
    sources, targets = graphs.is_feature[:-1], graphs.is_feature[1:]
    apart = graphs.paths - torch.eye(edges.shape[1], device=edges.device)
    columns = [
        torch.einsum("sbx,bxy,tby->bst", sources, related.clamp(max=1), targets).flatten(1)
        for related in (edges, edges @ edges, apart)
    ]
    # Paths from the input by their op sequence: how many arrive at each vertex.
    arriving = edges[:, :1]
    columns.append(graphs.at_output(arriving))
    is_op = graphs.is_op.transpose(0, 1)
    for _ in range(_longest_sequence(len(graphs.is_op))):
        arriving = (arriving[:, :, None] * is_op[:, None]).flatten(1, 2) @ edges
        columns.append(graphs.at_output(arriving))
    return torch.cat(columns, dim=1)


def _layout(graphs: EffectiveGraphs) -> Tensor:
    """For each vertex between input and output and each op, whether it is there and has effect."""
    return graphs.is_op[:, :, 1:-1].permute(1, 2, 0).flatten(1)


Describer = Callable[[CellIndex, Tensor], Tensor]
"""Gives standardised descriptors of rows of an index, ``[N] -> [N, columns]``."""


def open_descriptors(index: CellIndex) -> Describer:
    """What gives the standardised descriptors of cells by their rows.

    Of a table they are at hand for the whole space. Elsewhere they are computed when they are asked
    for, of the cells of any index of the space, and what they are standardised by are the mean and
    the deviation of random cells.

    Raises:
        UserError: the cache folder cannot be written.
    """
    if isinstance(index, CellTable):
        standard = load_standard_descriptors(index)
        return lambda _, rows: standard.index_select(0, rows)
    scale = _scale_of_random(index.space)
    return lambda index, rows: scale(_computed(index.cells.take(rows)))


def load_standard_descriptors(table: CellTable, cache: Path | None = None) -> Tensor:
    """Open `standard_descriptors`, computing it first where the cache folder does not hold it yet.

    Those of a space that does not come with the package are computed every time.

    Args:
        cache: folder; by default that of the cell table.

    Raises:
        UserError: the cache folder cannot be written.
    """
    if not is_known(table.space):
        return standard_descriptors(table)
    path = (cache or cache_folder()) / f"{table.space.name}-descriptors-{_VERSION}.safetensors"
    form = {_NAME: (torch.float16, (len(table), sum(num_descriptors(table.space))))}

    def is_right(arrays: dict[str, Tensor], noted: str | None) -> bool:
        found = {name: (array.dtype, tuple(array.shape)) for name, array in arrays.items()}
        return found == form and noted == checksum(arrays)

    arrays = open_cached(path, is_right, lambda: {_NAME: standard_descriptors(table).cpu()})
    return arrays[_NAME].to(table.module_hash.device)


def standard_descriptors(table: CellTable) -> Tensor:
    """Descriptors of every cell, block by block, standardised over the space and clamped.

    In half precision, which is finer than any use needs and halves the memory.

    Shapes:
        - returns: float16 ``[N, columns]``, of NAS-Bench-101 ``[423624, 141]``
    """
    device, columns = table.module_hash.device, sum(num_descriptors(table.space))
    standard = torch.empty(len(table), columns, dtype=torch.float16, device=device)
    scale = _Scale(table.cells, standard)
    for rows in torch.arange(len(table), device=device).split(_CHUNK):
        standard[rows] = scale(standard[rows])
    return standard


def _computed(cells: PackedCells) -> Tensor:
    """Descriptors of cells, block by block, in half precision."""
    parts = torch.arange(len(cells), device=cells.edges.device).split(_CHUNK)
    return torch.cat([torch.cat(descriptors(cells[rows]), dim=1).half() for rows in parts])


class _Scale:
    """Standardises descriptors by the mean and deviation of those of some cells.

    Args:
        cells: the cells; raw: receives their descriptors, where it is given.
    """

    def __init__(self, cells: PackedCells, raw: Tensor | None = None) -> None:
        device, columns = cells.edges.device, sum(num_descriptors(cells.space))
        total = torch.zeros(columns, dtype=torch.float64, device=device)
        squares = torch.zeros_like(total)
        for rows in torch.arange(len(cells), device=device).split(_CHUNK):
            part = torch.cat(descriptors(cells[rows]), dim=1)
            total += part.sum(0, dtype=torch.float64)
            squares += part.double().square().sum(0)
            if raw is not None:
                raw[rows] = part.half()
        mean = total / len(cells)
        deviation = (squares / len(cells) - mean.square()).clamp(min=0).sqrt()
        # Some columns are the same for all cells but for rounding, as every input leads to an
        # output.
        deviation[deviation <= 1e-4 * mean.abs()] = torch.inf
        self._mean, self._deviation = mean.float(), deviation.float()

    def __call__(self, raw: Tensor) -> Tensor:
        standardised = (raw.float() - self._mean) / self._deviation
        return standardised.clamp(-_LARGEST, _LARGEST).half()


@cache
def _scale_of_random(space: CellSpace) -> _Scale:
    """That of random cells, which take seconds to draw: once a process."""
    from gnn_nas.spaces.forms import draw_forms

    return _Scale(draw_forms(space, _SAMPLE, torch.Generator().manual_seed(0)))
