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
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from gnn_nas.errors import UserError

# Seconds between two looks at what is waiting, and at the clock.
_TICK = 0.05


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
        """Hand it a job; a worker that has died in the meantime says so by `take`."""

    def take(self) -> tuple[Any, Exception | None]:
        """What has come of its job: a result, or what the work has raised; (None, None) where it
        has just become ready.

        Raises:
            WorkerDied: it is gone.
            Terminated: it was asked to end, by whatever ends this process too, as SLURM does.
        """


class Engine(Protocol):
    """What makes workers: of one function ``work(job)``, with one thread each.

    The function, its jobs and results must survive pickling. None of the workers outlives the
    process that made the engine.
    """

    workers: int
    """How many at once."""
    retries: int
    """How often a job is begun again whose worker has died."""
    lag: float
    """Seconds until files that a worker has written are surely seen here."""

    def start(self) -> Worker:
        """Begin to start a worker."""

    def wait(self, workers: list[Any], seconds: float) -> list[Any]:
        """Those that have something to say, after at most so many seconds."""

    def end(self, workers: list[Any]) -> None:
        """Ask workers to end, and kill those that do not listen; they are gone then."""

    def close(self) -> None:
        """Give back what the engine holds; its workers have ended."""


@dataclass
class _Entry:
    """A job that is waiting or being done."""

    job: Any
    future: Future = field(default_factory=Future)
    deaths: int = 0
    begun: float = 0.0


class Pool:
    """Does jobs by an engine's workers, in the order in which they were asked for.

    A future has its job's result, what the work has raised, or a `JobLost`: `WorkerDied` where
    workers have died as often as the engine allows, `TimedOut` after too long a time. What is no
    job's fault ends everything, and all futures have it: a worker that was asked to end, or died
    before its first job, and a result that could not be kept.

    Args:
        engine: makes the workers, as many as are needed.
        timeout: seconds after which a job is given up, or None.
        keep: called from one thread, before anyone sees it, with a job and its result or its
            `JobLost`; gives what the future is to have.
        fresh: whether every job gets a worker of its own.
        early: workers that are started before there is a job.
    """

    def __init__(
        self,
        engine: Engine,
        timeout: float | None = None,
        keep: Callable[[Any, Any], Any] | None = None,
        fresh: bool = False,
        early: int = 0,
    ) -> None:
        self.engine = engine
        self.done = 0
        """Jobs that have come to an end."""
        self._timeout = timeout
        self._keep = keep or _itself
        self._fresh = fresh
        self._lock = threading.Lock()
        self._waiting: deque[_Entry] = deque()
        self._idle: list[Worker] = []
        self._starting = [engine.start() for _ in range(early)]
        self._busy: dict[Worker, _Entry] = {}
        self._early_deaths = 0
        self._closed = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="pool", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def running(self) -> int:
        """Jobs that are being done right now."""
        return len(self._busy)

    def submit(self, job: Any) -> Future:
        """Ask for a job; its future is ``running()`` from its first beginning on."""
        entry = _Entry(job)
        with self._lock:
            if self._error:
                entry.future.set_exception(self._error)
            else:
                self._waiting.append(entry)
        return entry.future

    def close(self) -> None:
        """End all workers; what they were doing is lost."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        error: BaseException = UserError("the jobs were interrupted")
        try:
            while not self._closed.wait(0 if self._busy or self._starting else _TICK):
                self._hand_out()
                for worker in self.engine.wait([*self._starting, *self._busy], _TICK):
                    self._listen(worker)
                self._give_up_late()
        except BaseException as raised:  # whoever waits for a job must hear of it
            error = raised
        finally:
            try:
                self.engine.end([*self._idle, *self._starting, *self._busy])
                self.engine.close()
            finally:
                with self._lock:
                    self._error = error
                    for entry in (*self._busy.values(), *self._waiting):
                        if not entry.future.done():
                            entry.future.set_exception(error)

    def _hand_out(self) -> None:
        while self._idle:
            with self._lock:
                if not self._waiting:
                    return
                entry = self._waiting.popleft()
            worker = self._idle.pop()
            if not entry.deaths:
                entry.future.set_running_or_notify_cancel()
            entry.begun = time.monotonic()
            self._busy[worker] = entry
            worker.begin(entry.job)
        there = len(self._starting) + len(self._busy)
        while len(self._starting) < len(self._waiting) and there < self.engine.workers:
            self._starting.append(self.engine.start())
            there += 1

    def _listen(self, worker: Worker) -> None:
        try:
            result, error = worker.take()
        except WorkerDied as death:
            self.engine.end([worker])
            if worker in self._busy:
                self._begin_again(self._busy.pop(worker), death)
            else:
                self._lose_before_begun(worker, death)
            return
        self._early_deaths = 0
        if worker in self._starting:
            self._starting.remove(worker)
            self._idle.append(worker)
            return
        entry = self._busy.pop(worker)
        if self._fresh:
            self.engine.end([worker])
        else:
            self._idle.append(worker)
        if error is None:
            self._finish(entry, result)
        else:
            self.done += 1
            entry.future.set_exception(error)

    def _begin_again(self, entry: _Entry, death: WorkerDied) -> None:
        entry.deaths += 1
        if entry.deaths > self.engine.retries:
            self._finish(entry, death)
        else:
            with self._lock:
                self._waiting.appendleft(entry)

    def _lose_before_begun(self, worker: Worker, death: WorkerDied) -> None:
        """No job is to blame for a worker that cannot even start."""
        self._starting.remove(worker)
        self._early_deaths += 1
        if self._early_deaths > self.engine.retries:
            raise WorkerDied(f"a process ended before its first job: {death}")

    def _give_up_late(self) -> None:
        if self._timeout is None:
            return
        for worker, entry in list(self._busy.items()):
            if time.monotonic() - entry.begun > self._timeout:
                del self._busy[worker]
                self.engine.end([worker])
                self._finish(entry, TimedOut(f"not done after {self._timeout:g} seconds"))

    def _finish(self, entry: _Entry, result: Any) -> None:
        if isinstance(result, JobLost):
            result.seconds = time.monotonic() - entry.begun
        try:
            result = self._keep(entry.job, result)
        except BaseException as error:
            entry.future.set_exception(error)
            raise
        self.done += 1
        if isinstance(result, JobLost):
            entry.future.set_exception(result)
        else:
            entry.future.set_result(result)


def _itself(job: Any, result: Any) -> Any:
    return result
