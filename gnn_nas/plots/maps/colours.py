"""What the points of a map are coloured by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.spaces.table import CellTable

# Below this share of the cells, accuracies are drawn in one colour: the worst ones lie so far off
# that a scale with them would show all others alike.
_CLIPPED = 0.05


@dataclass(frozen=True)
class Colouring:
    """A number for every cell, and the scale on which it is shown.

    Args:
        label: what the numbers are, with their unit.
        values: ``[N]``.
        lowest, highest: ends of the scale; lower values have the colour of its lower end.
        whole: whether only whole numbers are there, each with a colour of its own.
    """

    label: str
    values: np.ndarray
    lowest: float
    highest: float
    whole: bool


def colouring(
    kind: str, table: CellTable, rows: Tensor, benchmark: NASBench101 | None
) -> Colouring:
    """Colour cells by mean test accuracy, number of edges or number of vertices.

    Shapes:
        - rows: ``[N]``

    Raises:
        ValueError: accuracies are asked for without a benchmark, or there is no such kind.
    """
    if kind == "accuracy":
        if benchmark is None:
            raise ValueError("accuracies need a benchmark")
        values = accuracies(benchmark, rows)
        lowest = np.floor(10 * np.quantile(values, _CLIPPED)) / 10
        highest = np.ceil(10 * values.max()) / 10
        return Colouring("mean test accuracy (%)", values, lowest, highest, whole=False)
    cells = table.cells[rows]
    counts = {"edges": cells.edge_bits().sum(1), "vertices": cells.vertices}
    if kind not in counts:
        raise ValueError(f"no colouring {kind!r}")
    values = counts[kind].numpy().astype(float)
    return Colouring(f"number of {kind}", values, values.min(), values.max(), whole=True)


def accuracies(benchmark: NASBench101, rows: Tensor) -> np.ndarray:
    """Mean test accuracies of the three trials, in percent, ``[N]``."""
    return 100 * benchmark.mean_test(rows).numpy()
