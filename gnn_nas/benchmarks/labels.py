"""Cells with what is known of them, whatever it was read from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gnn_nas.benchmarks.columns import read_columns
from gnn_nas.benchmarks.locate import benchmark_space, find_any_benchmark, is_own_table
from gnn_nas.benchmarks.own_table import cell_columns, reward_column
from gnn_nas.errors import UserError

# torch takes a second to import, and what is wrong with a file is to be said before.
if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.spaces.packed import PackedCells
    from gnn_nas.spaces.space import CellSpace

LEAST = 200
"""Cells with rewards, at least: half of them are learnt from."""


class Labels(NamedTuple):
    """Cells and their rewards.

    Shapes:
        - cells: ``N`` of them, in canonical form; rewards: float64 ``[N]``
    """

    cells: PackedCells
    rewards: Tensor


def check_labels(path: Path, space: CellSpace) -> None:
    """Refuse, before it is read, what `open_labels` would refuse. Raises UserError."""
    if is_own_table(path):
        columns = read_columns(path)
        reward_column(columns)
        cell_columns(columns, space)
    elif (measured := benchmark_space(path)) != space.name:
        raise UserError(
            f"{path} has measurements of {measured}, and the cells are those of {space.name}"
        )


def open_labels(path: Path, space: CellSpace) -> Labels:
    """Read mean test accuracies of a benchmark's cells, or the rewards of a table of one's own.

    Args:
        path: as `gnn_nas.benchmarks.locate.benchmark_path` gives it; of several data sets it is the
            first.

    Raises:
        UserError: it cannot be read, is of another space, or has too few cells with rewards.
    """
    check_labels(path, space)

    import torch

    from gnn_nas.benchmarks.own_table import OwnTable
    from gnn_nas.spaces.index import open_index

    index = open_index(space)
    if is_own_table(path):
        own = OwnTable(index, read_columns(path))
        # Only now, as a registry has grown.
        rewards = own.rewards(torch.arange(len(index)))
    else:
        benchmark = find_any_benchmark(path, index)
        rewards = benchmark.mean_test(benchmark.all_rows())
    rows = (~rewards.isnan()).nonzero().flatten()
    if len(rows) < LEAST:
        raise UserError(
            f"{path} has {len(rows)} cells with rewards: to see what embeddings tell of them takes"
            f" {LEAST} at least"
        )
    return Labels(index.cells.take(rows), rewards[rows])
