"""A few workers, wherever they are, that make the trainings which are waiting."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol, Self

from gnn_nas.errors import UserError
from gnn_nas.tasks.trainings import Job, Outcome

# Seconds between two looks at what is waiting, and at the clock.
_TICK = 0.05


class WorkerDied(Exception):
    """A worker is gone, and with it what it was doing."""


class Worker(Protocol):
    """One process, here or elsewhere, that makes one training after the other."""

    def begin(self, job: Job) -> None:
        """Hand it a training; a worker that has died in the meantime says so by `take`."""

    def take(self) -> Outcome | None:
        """What it has to say: a training's outcome, or None where it has just become ready.

        Raises:
            WorkerDied: it is gone.
        """

    def end(self) -> None:
        """End it, whatever it is doing."""


class Engine(Protocol):
    """What makes workers."""

    workers: int
    """How many at once."""
    retries: int
    """How often a training is begun again whose worker has died."""

    def start(self) -> Worker:
        """Begin to start a worker."""

    def wait(self, workers: list[Worker], seconds: float) -> list[Worker]:
        """Those that have something to say, after at most so many seconds."""

    def close(self) -> None:
        """Give back what the engine holds; its workers have ended."""


@dataclass
class _Task:
    """A training that is waiting or being made."""

    job: Job
    future: Future[Outcome] = field(default_factory=Future)
    deaths: int = 0
    begun: float = 0.0


class Pool:
    """Makes trainings by an engine's workers, in the order in which they were asked for.

    Args:
        engine: makes the workers, as many as are needed.
        timeout: seconds after which a training is given up, or None.
        keep: called with every outcome before anyone sees it, from one thread.
    """

    def __init__(
        self, engine: Engine, timeout: float | None, keep: Callable[[Job, Outcome], None]
    ) -> None:
        self.made = 0
        self._engine = engine
        self._timeout = timeout
        self._keep = keep
        self._lock = threading.Lock()
        self._waiting: deque[_Task] = deque()
        self._idle: list[Worker] = []
        self._starting: list[Worker] = []
        self._busy: dict[Worker, _Task] = {}
        self._early_deaths = 0
        self._closed = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="trainings", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def running(self) -> int:
        """Trainings that are being made right now."""
        return len(self._busy)

    def submit(self, job: Job) -> Future[Outcome]:
        """Ask for a training."""
        task = _Task(job)
        with self._lock:
            if self._error:
                task.future.set_exception(self._error)
            else:
                self._waiting.append(task)
        return task.future

    def close(self) -> None:
        """End all workers; what they were doing is lost."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        error: BaseException = UserError("the trainings were interrupted")
        try:
            while not self._closed.wait(0 if self._busy or self._starting else _TICK):
                self._hand_out()
                for worker in self._engine.wait([*self._starting, *self._busy], _TICK):
                    self._listen(worker)
                self._give_up_late()
        except BaseException as raised:  # whoever waits for a training must hear of it
            error = raised
        finally:
            for worker in (*self._idle, *self._starting, *self._busy):
                worker.end()
            self._engine.close()
            with self._lock:
                self._error = error
                for task in (*self._busy.values(), *self._waiting):
                    if not task.future.done():
                        task.future.set_exception(error)

    def _hand_out(self) -> None:
        while self._idle:
            with self._lock:
                if not self._waiting:
                    return
                task = self._waiting.popleft()
            worker = self._idle.pop()
            task.begun = time.monotonic()
            self._busy[worker] = task
            worker.begin(task.job)
        there = len(self._starting) + len(self._busy)
        while len(self._starting) < len(self._waiting) and there < self._engine.workers:
            self._starting.append(self._engine.start())
            there += 1

    def _listen(self, worker: Worker) -> None:
        try:
            outcome = worker.take()
        except WorkerDied as death:
            worker.end()
            if worker in self._busy:
                self._begin_again(self._busy.pop(worker), death)
            else:
                self._lose_before_begun(worker, death)
            return
        self._early_deaths = 0
        self._idle.append(worker)
        if worker in self._busy:
            self._finish(self._busy.pop(worker), outcome)
        else:
            self._starting.remove(worker)

    def _begin_again(self, task: _Task, death: WorkerDied) -> None:
        task.deaths += 1
        if task.deaths > self._engine.retries:
            seconds = time.monotonic() - task.begun
            self._finish(task, Outcome("crashed", seconds, failure=str(death)))
        else:
            with self._lock:
                self._waiting.appendleft(task)

    def _lose_before_begun(self, worker: Worker, death: WorkerDied) -> None:
        """No cell is to blame for a worker that cannot even start."""
        self._starting.remove(worker)
        self._early_deaths += 1
        if self._early_deaths > self._engine.retries:
            raise UserError(f"a process for trainings ended before its first one: {death}")

    def _give_up_late(self) -> None:
        if self._timeout is None:
            return
        for worker, task in list(self._busy.items()):
            seconds = time.monotonic() - task.begun
            if seconds > self._timeout:
                del self._busy[worker]
                worker.end()
                failure = f"not done after {self._timeout:g} seconds"
                self._finish(task, Outcome("timeout", seconds, failure=failure))

    def _finish(self, task: _Task, outcome: Outcome) -> None:
        try:
            self._keep(task.job, outcome)
        except BaseException as error:
            task.future.set_exception(error)
            raise
        self.made += 1
        task.future.set_result(outcome)
