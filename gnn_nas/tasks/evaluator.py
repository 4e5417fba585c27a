"""Cells evaluated by real trainings, none of them made twice."""

from __future__ import annotations

import math
import statistics
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Self

from gnn_nas.objective import Evaluation
from gnn_nas.spaces.table import CellTable
from gnn_nas.tasks.engines.pool import Engine, Pool
from gnn_nas.tasks.store import Store
from gnn_nas.tasks.task import COLUMNS, Task
from gnn_nas.tasks.trainings import Job, Outcome, Purpose


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a search is told of a cell, and the figures of `COLUMNS`, which it is not told.

    Figures are means over the trainings, NaN where the task does not tell them.
    """

    evaluation: Evaluation
    figures: tuple[float, ...]


class Evaluator:
    """Evaluates cells for any number of searches at once, from any number of threads.

    A training that is in the store is never made again, and one that two searches ask for at the
    same time is made once. It is in the store before a search hears of it.

    Args:
        task: trains the cells; table: of them.
        store: of the trainings; engine: makes them.
    """

    def __init__(self, task: Task, table: CellTable, store: Store, engine: Engine) -> None:
        self._task = task
        self._table = table
        self._store = store
        self._running: dict[Job, Future[Outcome]] = {}
        self._lock = threading.Lock()
        self.pool = Pool(engine, task.timeout, store.put)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()

    def evaluate(self, rows: list[int]) -> list[Evaluated]:
        """Evaluate rows of the cell table, and give what came of them in this order.

        Raises:
            UserError: the store cannot be written, or trainings cannot be made at all.
        """
        waiting = [list(self._ask(row, "search")) for row in rows]
        return [_evaluated([future.result() for future in futures]) for futures in waiting]

    def test(self, row: int) -> list[Outcome]:
        """Train a cell again with each of its seeds and judge it by held-out data.

        One training after the other: where none is made beside it, what it takes is its own.
        Raises as `evaluate`.
        """
        return [job.result() for job in self._ask(row, "test")]

    def _ask(self, row: int, purpose: Purpose) -> Iterator[Future[Outcome]]:
        for seed in range(self._task.trainings):
            yield self._one(Job.of_row(self._table, row, seed, purpose))

    def _one(self, job: Job) -> Future[Outcome]:
        with self._lock:
            if job in self._running:
                return self._running[job]
            stored = self._store.get(job)
            if stored is None:
                self._running[job] = self.pool.submit(job)
                return self._running[job]
        future: Future[Outcome] = Future()
        future.set_result(stored)
        return future


def _evaluated(outcomes: list[Outcome]) -> Evaluated:
    """A cell by its trainings: means, or the failure of the first that failed."""
    seconds = math.fsum(outcome.seconds for outcome in outcomes)
    failures = [
        f"{outcome.state}: {outcome.failure}" + (f" (seed {seed})" if len(outcomes) > 1 else "")
        for seed, outcome in enumerate(outcomes)
        if outcome.reward is None
    ]
    figures = tuple(_mean(outcomes, name) for name in COLUMNS)
    if failures:
        return Evaluated(Evaluation(None, seconds, failures[0]), figures)
    reward = statistics.fmean(outcome.reward for outcome in outcomes)
    return Evaluated(Evaluation(reward, seconds), figures)


def _mean(outcomes: list[Outcome], name: str) -> float:
    figures = [outcome.metrics.get(name, math.nan) for outcome in outcomes]
    return math.nan if any(isinstance(each, str) for each in figures) else statistics.fmean(figures)
