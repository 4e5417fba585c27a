"""What the points of a map are coloured by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from gnn_nas.plots.cell_figures import FIGURES, cell_figures, told_range
from gnn_nas.spaces.index import CellIndex

if TYPE_CHECKING:
    from gnn_nas.benchmarks.protocols import Benchmark

# Below this share of the cells, accuracies are drawn in one colour: the worst ones lie so far off
# that a scale with them would show all others alike.
_CLIPPED = 0.05


@dataclass(frozen=True)
class Colouring:
    """A number for every cell, and the scale on which it is shown.

    Args:
        label: what the numbers are, with their unit.
        values: ``[N]``.
        lowest, highest: ends of the scale; values beyond have the colours of its ends.
        whole: whether only whole numbers are there, each with a colour of its own.
    """

    label: str
    values: np.ndarray
    lowest: float
    highest: float
    whole: bool


def colouring(
    kind: str,
    table: CellIndex,
    rows: Tensor,
    benchmark: Benchmark | None = None,
    told: Mapping[str, Tensor] | None = None,
) -> Colouring:
    """Colour cells by mean test accuracy, a figure of `figure_names` or a told statistic.

    Args:
        told: what is told of the rows' function, by statistic.

    Shapes:
        - rows: ``[N]``
        - told: ``[N]`` each

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
    if told and kind in told:
        label = f"{kind} as told (standard deviations)"
        return Colouring(label, told[kind].numpy(), *told_range(told[kind]), whole=False)
    figures = cell_figures(table.cells[rows])
    if kind not in figures:
        raise ValueError(f"no colouring {kind!r}")
    values = figures[kind].numpy()
    # Parameters take too many values for a colour each.
    whole = kind != "parameters"
    return Colouring(FIGURES[kind], values, values.min(), values.max(), whole)


def accuracies(benchmark: Benchmark, rows: Tensor) -> np.ndarray:
    """Mean test accuracies, in percent, ``[N]``."""
    return 100 * benchmark.mean_test(rows).numpy()
