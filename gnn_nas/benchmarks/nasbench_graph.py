"""NAS-Bench-Graph (Qin et al. 2022): accuracies of graph neural networks, asked by row."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from gnn_nas import plain_pickle
from gnn_nas.benchmarks import DATASETS
from gnn_nas.benchmarks.means import MeanBenchmark
from gnn_nas.errors import UserError
from gnn_nas.files import read_regular
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH, from_links
from gnn_nas.spaces.table import CellTable, load_table

LINKS = (
    (0, 0, 0, 0),
    (0, 0, 0, 1),
    (0, 0, 1, 1),
    (0, 0, 1, 2),
    (0, 0, 1, 3),
    (0, 1, 1, 1),
    (0, 1, 1, 2),
    (0, 1, 2, 2),
    (0, 1, 2, 3),
)
"""Trees of four ops, by the first digit of a key: the source of every op."""

_FIGURES = {"validation": "valid_perf", "test": "perf", "latency": "latency", "parameters": "para"}
# Of a data set's file, of which the largest has 2 MB.
_LARGEST = 20_000_000


class NASBenchGraph(MeanBenchmark):
    """Accuracies of the package nas-bench-graph, see `MeanBenchmark`.

    They are means over three trainings; of ``proteins`` only cells of five ops were measured. How
    long trainings took is not told.
    """

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        table: CellTable | None = None,
        dataset: str = DATASETS[NASBENCH_GRAPH.name][0],
    ) -> Self:
        """Open a data set's file in a folder of the package's.

        Raises:
            UserError: it is missing, damaged, or holds other cells.
        """
        path, table = Path(path) / f"{dataset}.bench", table or load_table(NASBENCH_GRAPH)
        try:
            found = plain_pickle.load(io.BytesIO(read_regular(path, _LARGEST)))
            keys = sorted(found)
            rows = _rows(keys, table)
            figures = {
                name: _column(table, rows, name, [found[key][own] for key in keys])
                for name, own in _FIGURES.items()
            }
        except Exception as error:  # damaged bytes can raise anything in pickle
            raise UserError(
                f"{path} is damaged or no NAS-Bench-Graph data ({type(error).__name__}: {error}):"
                " install nas-bench-graph 1.4.0 anew"
            ) from error
        figures["seconds"] = torch.full_like(figures["test"], torch.nan)
        return cls(table, dataset, figures, path)

    def latency(self, rows: Tensor) -> Tensor:
        """Seconds of a pass through the network, float64 ``[N]``."""
        return self._figures["latency"][rows]

    def parameters(self, rows: Tensor) -> Tensor:
        """Millions of trainable parameters, float64 ``[N]``."""
        return self._figures["parameters"][rows]


def _rows(keys: list[Any], table: CellTable) -> Tensor:
    """Rows of the package's keys: the number of the tree, and a digit for every op."""
    if not keys or not all(type(key) is int and 0 <= key < 90_000 for key in keys):
        raise ValueError("its keys are no cells'")
    links = [LINKS[key // 10**4] for key in keys]
    ops = [[int(digit) for digit in f"{key % 10**4:04d}"] for key in keys]
    if any(9 in each for each in ops):
        raise ValueError("a key has an op that there is not")
    rows = table.rows_of(from_links(links, ops))
    if bool((rows < 0).any()) or len(rows.unique()) < len(rows):
        raise ValueError("a key is no cell's, or a cell is there twice")
    return rows


def _column(table: CellTable, rows: Tensor, name: str, values: list[Any]) -> Tensor:
    """Values of these rows, float64 ``[cells]``, NaN elsewhere."""
    column = torch.full((len(table),), torch.nan, dtype=torch.float64)
    known = torch.tensor(values, dtype=torch.float64)
    most = 1 if name in ("validation", "test") else torch.inf
    if not bool(((known >= 0) & (known <= most) & known.isfinite()).all()):
        raise ValueError(f"its {_FIGURES[name]} goes from {known.min():g} to {known.max():g}")
    column[rows] = known
    return column
