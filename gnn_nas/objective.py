"""What a search sees of the world: cells go in, rewards come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What one query gave: a reward to be maximised, or the reason why there is none.

    Args:
        reward: what the search may learn from; None where the evaluation failed.
        seconds: (simulated) training time, NaN where it is unknown.
        failure: why there is no reward, in a few words; None where there is one.
    """

    reward: float | None
    seconds: float
    failure: str | None = None


class Objective(Protocol):
    """Anything that evaluates cells: a table of measurements, real trainings, remote workers."""

    @property
    def allowed(self) -> Tensor | None:
        """Which rows it can evaluate, bool ``[cells]``; None where it can all."""

    def evaluate(self, rows: Tensor) -> list[Evaluation]:
        """Evaluate cells, distinct rows of the cell table, int64 ``[N]``, in this order."""


class Report(Protocol):
    """What a search must not see: the figures by which its finds are judged in the end."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the figures."""

    def report(self, rows: Tensor) -> Tensor:
        """The figures of cells, float64 ``[N, len(columns)]``, NaN where there is none."""
