"""Cells evaluated by real trainings, none of them made twice."""

from __future__ import annotations

import math
import statistics
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Self

import torch
from torch import Tensor

from gnn_nas.objective import Evaluation
from gnn_nas.parallel.pool import Engine, JobLost, Pool, TimedOut
from gnn_nas.spaces.index import CellIndex
from gnn_nas.tasks.store import Store
from gnn_nas.tasks.task import METRICS, Task
from gnn_nas.tasks.training_job import Purpose, State, TrainingJob, TrainingRecord


class Evaluator:
    """An `Objective` and its `Report`, for any number of searches at once, in any threads.

    A training that is in the store is never made again, and one that two searches ask for at the
    same time is made once. It is in the store before a search hears of it.

    Args:
        task: trains the cells; table: of them.
        store: of the trainings.
        engine: makes them: its work is `gnn_nas.tasks.training_job.run_training` of the task.
    """

    columns = METRICS
    allowed = None

    def __init__(self, task: Task, table: CellIndex, store: Store, engine: Engine) -> None:
        self._task = task
        self._table = table
        self._store = store
        self._metrics: dict[int, list[float]] = {}
        self._running: dict[TrainingJob, Future[TrainingRecord]] = {}
        self._lock = threading.Lock()
        self.pool = Pool(engine, task.timeout, self._keep)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()

    def evaluate(self, rows: Tensor) -> list[Evaluation]:
        """Evaluate cells: see `gnn_nas.objective.Objective`.

        Raises:
            UserError: the store cannot be written, or trainings cannot be made at all.
        """
        asked = [(row, list(self._ask(row, "search"))) for row in rows.tolist()]
        evaluations = []
        for row, futures in asked:
            records = [future.result() for future in futures]
            self._metrics[row] = [_mean(records, name) for name in METRICS]
            evaluations.append(_evaluation(records))
        return evaluations

    def report(self, rows: Tensor) -> Tensor:
        """Means over the trainings of evaluated cells: see `gnn_nas.objective.Report`."""
        metrics = [self._metrics[row] for row in rows.tolist()]
        return torch.tensor(metrics, dtype=torch.float64).reshape(-1, len(METRICS))

    def test(self, row: int) -> list[TrainingRecord]:
        """Train a cell again with each of its seeds and judge it by held-out data.

        One training after the other: where none is made beside it, what it takes is its own.
        Raises as `evaluate`.
        """
        return [future.result() for future in self._ask(row, "test")]

    def _ask(self, row: int, purpose: Purpose) -> Iterator[Future[TrainingRecord]]:
        for seed in range(self._task.trainings):
            yield self._one(TrainingJob.of_row(self._table, row, seed, purpose))

    def _one(self, job: TrainingJob) -> Future[TrainingRecord]:
        with self._lock:
            if job not in self._running:
                stored = self._store.get(job)
                if stored is None:
                    self._running[job] = self.pool.submit(job)
                else:
                    self._running[job] = Future()
                    self._running[job].set_result(stored)
            return self._running[job]

    def _keep(self, job: TrainingJob, result: TrainingRecord | JobLost) -> TrainingRecord:
        if isinstance(result, JobLost):
            state: State = "timeout" if isinstance(result, TimedOut) else "crashed"
            result = TrainingRecord(state, result.seconds, failure=str(result))
        self._store.put(job, result)
        return result


def _evaluation(records: list[TrainingRecord]) -> Evaluation:
    """A cell's by its trainings: the mean, or the failure of the first that failed."""
    seconds = math.fsum(record.seconds for record in records)
    rewards = []
    for seed, record in enumerate(records):
        if record.reward is None:
            which = f" (seed {seed})" if len(records) > 1 else ""
            return Evaluation(None, seconds, f"{record.state}: {record.failure}{which}")
        rewards.append(record.reward)
    return Evaluation(statistics.fmean(rewards), seconds)


def _mean(records: list[TrainingRecord], name: str) -> float:
    values = [record.metrics.get(name, math.nan) for record in records]
    return statistics.fmean(math.nan if isinstance(each, str) else each for each in values)
