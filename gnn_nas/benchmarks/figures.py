"""What is known of the cells, whatever it was read from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from torch import Tensor

from gnn_nas.tensor_file import checksum

TRIALS = 3
FULL_EPOCHS = 108
EPOCHS = (4, 12, 36, FULL_EPOCHS)
"""The budgets of NAS-Bench-101, the shorter ones only in ``nasbench_full.tfrecord``."""


class Column(NamedTuple):
    """One figure (of `gnn_nas.benchmarks.records.FIGURES`) of one training of every cell."""

    figure: str
    epochs: int
    trial: int


@dataclass(frozen=True)
class Figures:
    """Measurements in the order of the cell table's rows; a column that is unknown is not there.

    Shapes:
        - parameters: int32 ``[cells]``, trainable parameters of the network
        - columns: floating point ``[cells]`` each, NaN where a cell was not measured
        - mean_test, unseen_test: float64 ``[cells]``, mean final test accuracy after 108 epochs of
          all three trials, and of all but the first
    """

    parameters: Tensor
    columns: dict[Column, Tensor]
    mean_test: Tensor
    unseen_test: Tensor

    @classmethod
    def of_trials(cls, parameters: Tensor, columns: dict[Column, Tensor]) -> Self:
        """Figures of columns that hold all trials of 108 epochs."""
        first, *others = (
            columns[Column("final_test_accuracy", FULL_EPOCHS, trial)].double()
            for trial in range(TRIALS)
        )
        unseen: Any = sum(others)
        return cls(parameters, columns, (first + unseen) / TRIALS, unseen / len(others))

    def checksum(self) -> str:
        """Tells these figures from all others, in 8 hexadecimal digits."""
        return checksum(
            {
                "parameters": self.parameters,
                "mean_test": self.mean_test,
                "unseen_test": self.unseen_test,
                **{"/".join(map(str, column)): values for column, values in self.columns.items()},
            }
        )

    def refuse_impossible(self, cells: int) -> None:
        """Raise ``ValueError``, which names the first of them, for figures that no training gives.

        Args:
            cells: their number; columns are judged by those that were measured.
        """
        for name in ("parameters", "mean_test", "unseen_test"):
            values = getattr(self, name).double()
            if not (values > 0).all():
                raise ValueError(f"its {name} is no positive number for some cells")
            _refuse_impossible(name, values, cells, math.inf if name == "parameters" else 1)
        for column, values in self.columns.items():
            name = f"{column.figure} of trial {column.trial} at {column.epochs} epochs"
            most = 1 if column.figure.endswith("accuracy") else math.inf
            _refuse_impossible(name, values, cells, most)


def _refuse_impossible(name: str, values: Tensor, cells: int, most: float) -> None:
    if values.shape != (cells,):
        raise ValueError(f"its {name} has the shape {tuple(values.shape)}")
    known = values[~values.isnan()]
    if not len(known):
        return
    low, high = known.min().item(), known.max().item()
    if not (low >= 0 and high <= most and math.isfinite(high)):
        raise ValueError(f"its {name} goes from {low:g} to {high:g}")
    if low == high and len(known) > 1:
        raise ValueError(f"its {name} is {low:g} for all cells")
