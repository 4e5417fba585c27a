"""What is known of the cells, whatever it was read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

from torch import Tensor

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
        unseen = sum(others)
        return cls(parameters, columns, (first + unseen) / TRIALS, unseen / len(others))
