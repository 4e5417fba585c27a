"""A few workers, wherever they are, that do the jobs which are waiting.

Why neither pebble 5.2.3 nor loky 3.7.0 does this: in loky a worker that is killed breaks the pool,
and all its jobs fail, those of living workers too (tried). In pebble all workers share one pipe and
its locks: when one was killed while it sent a large result, the next job had not begun after 90 s
(tried). Its busy workers go on when their parent is killed, and neither knows Ray or begins a job
again. Here every worker has a pipe of its own, so nothing that dies can hold up another.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol, Self

from gnn_nas.errors import UserError


class JobLost(UserError):
    """A job has come to nothing, through no word of its own."""

    seconds = 0.0
    """How long it took."""


class WorkerDied(JobLost):
    """A worker is gone, and with it what it was doing."""


class TimedOut(JobLost):
    """It took too long, and its worker was ended."""


class Worker(Protocol):
    """One process, here or elsewhere, that does one job after the other."""

    def begin(self, job: Any) -> None:
        """Hand it a job; one that has died in the meantime says so by `take`."""

    def take(self, seconds: float | None) -> tuple[Any, Exception | None]:
        """Wait for what comes of its job, a result or what the work has raised; at first for its
        being ready, (None, None), or what keeps it from being so.

        Raises:
            TimedOut: nothing has come within so many seconds.
            WorkerDied: it is gone.
            Terminated: it was asked to end, by whatever ends this process too, as SLURM does.
        """


class Engine(Protocol):
    """What makes workers: of one function ``work(job)``, with one thread each.

    The function, its jobs and results must survive pickling. No worker outlives this process.
    """

    workers: int
    """How many at once."""
    retries: int
    """How often a job is begun again whose worker has died."""
    lag: float
    """Seconds until files that a worker has written are surely seen here."""

    def start(self) -> Worker:
        """Begin to start a worker."""

    def end(self, workers: list[Any]) -> None:
        """Ask workers to end, and kill those that do not listen; they are gone then."""

    def close(self) -> None:
        """Give back what the engine holds; its workers have ended."""


class Pool:
    """Does jobs by an engine's workers, in the order in which they were asked for.

    A future has its job's result, what the work has raised, or a `JobLost`: `WorkerDied` where
    workers have died as often as the engine allows, `TimedOut` after too long a time. What is no
    job's fault ends everything, and all futures have it: a worker that was asked to end, or died
    or failed before its first job, and a result that could not be kept.

    Args:
        engine: makes the workers, as many as are needed.
        timeout: seconds after which a job is given up, or None.
        keep: called, one job at a time and before anyone sees it, with a job and its result or its
            `JobLost`; gives what the future is to have.
        fresh: whether every job gets a worker of its own.
        early: workers that are started before there is a job.
    """

    def __init__(
        self,
        engine: Engine,
        timeout: float | None = None,
        keep: Callable[[Any, Any], Any] = lambda _, result: result,
        fresh: bool = False,
        early: int = 0,
    ) -> None:
        self.engine = engine
        self.done = 0
        """Jobs that have come to an end."""
        self._timeout = timeout
        self._keep = keep
        self._fresh = fresh
        self._lock = threading.RLock()
        self._error: BaseException | None = None
        self._early = [engine.start() for _ in range(early)]
        self._idle: list[Worker] = []
        self._workers = set(self._early)
        # A thread has one worker at a time.
        self._threads = ThreadPoolExecutor(engine.workers, "pool")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def running(self) -> int:
        """Workers that do something, or begin to."""
        return len(self._workers) - len(self._idle) - len(self._early)

    def submit(self, job: Any) -> Future:
        """Ask for a job."""
        return self._threads.submit(self._do, job)

    def close(self) -> None:
        """End all workers; what they were doing is lost."""
        self._end_all(UserError("the jobs were interrupted"))
        self._threads.shutdown()
        self.engine.close()

    def _do(self, job: Any) -> Any:
        deaths = 0
        while True:
            worker = self._ready_worker()
            begun = time.monotonic()
            worker.begin(job)
            try:
                result, error = self._take(worker, self._timeout)
            except JobLost as lost:
                deaths += 1
                if isinstance(lost, WorkerDied) and deaths <= self.engine.retries:
                    continue
                lost.seconds = time.monotonic() - begun
                return self._kept(job, lost)
            if self._fresh:
                self._end(worker)
            else:
                self._idle.append(worker)
            if error is None:
                return self._kept(job, result)
            self.done += 1
            raise error

    def _ready_worker(self) -> Worker:
        deaths = 0
        while True:
            with self._lock:
                if self._error:
                    raise self._error
                if self._idle:
                    return self._idle.pop()
                early = self._early.pop() if self._early else None
            worker = early or self._started()
            try:
                _, error = self._take(worker, None)
                if error:
                    raise self._end_all(error)
                return worker
            except WorkerDied as death:
                deaths += 1
                if deaths > self.engine.retries:
                    # No job is to blame for a worker that cannot even start.
                    self._end_all(WorkerDied(f"a process ended before its first job: {death}"))

    def _started(self) -> Worker:
        """Start a worker, beside others: one takes its work only when its process has begun."""
        worker = self.engine.start()
        with self._lock:
            if not self._error:
                self._workers.add(worker)
                return worker
        self.engine.end([worker])
        raise self._error

    def _take(self, worker: Worker, seconds: float | None) -> tuple[Any, Exception | None]:
        """Wait for what a worker has to say; it has ended where this raises."""
        try:
            return worker.take(seconds)
        except JobLost:
            self._end(worker)
            raise
        except BaseException as error:
            raise self._end_all(error) from None

    def _kept(self, job: Any, result: Any) -> Any:
        with self._lock:
            if self._error:
                raise self._error
            try:
                result = self._keep(job, result)
            except BaseException as error:  # whoever waits for another job must hear of it
                self._end_all(error)
                raise
            self.done += 1
        if isinstance(result, JobLost):
            raise result
        return result

    def _end(self, worker: Worker) -> None:
        with self._lock:
            if self._error:
                raise self._error
            self._workers.remove(worker)
        self.engine.end([worker])

    def _end_all(self, error: BaseException) -> BaseException:
        """End all workers, and give why they were ended first."""
        with self._lock:
            self._error = self._error or error
            workers = list(self._workers)
            for each in (self._workers, self._idle, self._early):
                each.clear()
        self.engine.end(workers)
        return self._error
