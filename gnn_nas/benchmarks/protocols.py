"""The protocols of searching in a benchmark: what a search is rewarded by, and judged by."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from gnn_nas.errors import UserError
from gnn_nas.objective import Evaluation

if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.benchmarks.means import MeanBenchmark
    from gnn_nas.benchmarks.nasbench101 import NASBench101
    from gnn_nas.spaces.index import CellIndex

    Benchmark: TypeAlias = NASBench101 | MeanBenchmark

PROTOCOLS = ("validation", "single-trial", "oracle")
"""Rewards: validation accuracy; test accuracy of trial 0; mean test accuracy.

NAS-Bench-101's validation accuracy is that of trial 0, those of others the mean of all trainings.
"""


def objective_and_report(
    benchmark: Benchmark, protocol: str
) -> tuple[BenchmarkObjective, BenchmarkReport]:
    """What a search may see, and apart from it what it must not. Raises as the two."""
    return BenchmarkObjective(benchmark, protocol), BenchmarkReport(benchmark, protocol)


class KnownRewards:
    """Rewards cells by what is known of them; a `gnn_nas.objective.Objective`.

    It keeps the rewards and nothing else, so that nothing else can be asked of it.

    Args:
        table: all cells.
        allowed: which rows are known, bool ``[cells]``, None for all.

    Shapes:
        - rewards, seconds: float64 ``[cells]``, NaN where there is none
    """

    def __init__(
        self, table: CellIndex, rewards: Tensor, seconds: Tensor, allowed: Tensor | None = None
    ) -> None:
        # Imported here: the names of the protocols are asked for before torch has loaded.
        from gnn_nas.benchmarks.rows import CellRows

        self.allowed = allowed
        self._rewards, self._seconds = rewards, seconds
        # Knows the cells only; a row of -1 must not count as the last one.
        self._rows = CellRows(table)

    def evaluate(self, rows: Tensor) -> list[Evaluation]:
        """Evaluate cells: see `gnn_nas.objective.Objective`."""
        rows = self._rows.of(rows)
        pairs = zip(self._rewards[rows].tolist(), self._seconds[rows].tolist(), strict=True)
        return [
            Evaluation(None, seconds, "there is no reward of it")
            if math.isnan(reward)
            else Evaluation(reward, seconds)
            for reward, seconds in pairs
        ]


class BenchmarkObjective(KnownRewards):
    """The same of a benchmark under a protocol.

    Args:
        benchmark: the measurements; protocol: one of `PROTOCOLS`.

    Raises:
        UserError: the data lacks the protocol's rewards of some cells.
        ValueError: there is no such protocol.
    """

    def __init__(self, benchmark: Benchmark, protocol: str) -> None:
        rows = benchmark.all_rows()
        try:
            rewards = rewards_of(benchmark, protocol, rows)
        except UserError as error:
            raise UserError(f"protocol {protocol}: {error}") from error
        super().__init__(benchmark.table, rewards, benchmark.seconds(rows), benchmark.allowed)


class BenchmarkReport:
    """Judges cells by their test accuracies; a `gnn_nas.objective.Report`.

    Args:
        benchmark: the measurements; protocol: one of `PROTOCOLS`.
    """

    columns = ("test", "test_unseen")

    def __init__(self, benchmark: Benchmark, protocol: str) -> None:
        self._benchmark = benchmark
        self._protocol = protocol

    def report(self, rows: Tensor) -> Tensor:
        """Mean test accuracy and, where the search saw trial 0, that of the other trials."""
        test = self._benchmark.mean_test(rows)
        figures = test.new_full((len(rows), len(self.columns)), math.nan)
        figures[:, 0] = test
        if self._protocol == "single-trial":
            figures[:, 1] = self._benchmark.unseen_test(rows)
        return figures


def rewards_of(benchmark: Benchmark, protocol: str, rows: Tensor) -> Tensor:
    """What a search is rewarded by, ``[N]`` of rows of the benchmark.

    Raises:
        UserError: the data lacks it for some cells.
        ValueError: there is no such protocol.
    """
    match protocol:
        case "validation":
            return benchmark.validation(rows)
        case "single-trial":
            return benchmark.test(rows)
        case "oracle":
            return benchmark.mean_test(rows)
    raise ValueError(f"no protocol {protocol!r}; known are {', '.join(PROTOCOLS)}")
