"""Commands as processes, several at a time, in the order in which they need each other."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn

from gnn_nas.errors import reported
from gnn_nas.experiments.table1.plan import Job
from gnn_nas.progress import Description, Progress

# Seconds between two looks at the processes.
_TICK = 0.3


class ProcessDied(Exception):
    """A process did not come to its end, or not even to its beginning."""


class Process(Protocol):
    """A job's command, which runs somewhere with one thread, or will."""

    def status(self) -> int | None:
        """Its exit status, or None before its end.

        Raises:
            ProcessDied: it is gone.
        """


class Engine(Protocol):
    """What starts processes. None of them outlives the process that made the engine."""

    at_once: int
    """How many at once."""
    retries: int
    """How often a job is begun again whose process has died."""
    lag: float
    """Seconds until files that a process has written are surely seen here."""

    def start(self, job: Job, log: Path) -> Process:
        """Begin to start a job's command; what it says is appended to ``log``."""

    def end(self, processes: list[Process]) -> None:
        """End processes, whatever they are doing; they are gone then."""

    def close(self) -> None:
        """Give back what the engine holds; its processes have ended."""


def run_jobs(jobs: list[Job], engine: Engine, logs: Path) -> list[Job]:
    """Run all jobs that are not finished, and give those that are not then.

    The line with which a failing one ends is shown, and the others go on, but for those that need
    it. No process outlives this call, which closes the engine.

    Args:
        engine: runs them; logs: folder for what the commands say.

    Raises:
        UserError: the logs cannot be written.
    """
    try:
        return _Runner(jobs, engine, logs).run()
    finally:
        engine.close()


@dataclass
class _Running:
    job: Job
    process: Process
    ended: float | None = None
    """When it was first seen to have ended well."""


class _Runner:
    def __init__(self, jobs: list[Job], engine: Engine, logs: Path) -> None:
        self.engine = engine
        self.logs = logs
        self.pending = [job for job in jobs if not job.folder.finished]
        self.running: dict[int, _Running] = {}
        self.failed: list[Job] = []
        self.deaths: Counter[Path] = Counter()
        self.progress = Progress(
            Description(), BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn()
        )
        self.all = self.progress.add_task(
            "jobs", total=len(jobs), completed=len(jobs) - len(self.pending)
        )

    def run(self) -> list[Job]:
        with self.progress:
            try:
                while self.pending or self.running:
                    self._start_ready()
                    time.sleep(_TICK)
                    for task in list(self.running):
                        self._look(task)
            finally:
                self.engine.end([running.process for running in self.running.values()])
        return self.failed

    def _start_ready(self) -> None:
        for job in list(self.pending):
            if job.after in self.failed:
                self.pending.remove(job)
                self._fail(job, f"not begun, as it needs {job.after.name}")
            elif len(self.running) < self.engine.at_once and (
                job.after is None or job.after.folder.finished
            ):
                self.pending.remove(job)
                log = self._log(job)
                with reported(f"cannot write {log}"):
                    self.logs.mkdir(parents=True, exist_ok=True)
                    if not self.deaths[job.folder.path]:
                        log.write_bytes(b"")
                    process = self.engine.start(job, log)
                task = self.progress.add_task(job.name, total=job.steps)
                self.running[task] = _Running(job, process)

    def _look(self, task: int) -> None:
        running = self.running[task]
        job = running.job
        try:
            status = running.process.status()
        except ProcessDied as death:
            self._forget(task)
            self._begin_again(job, death)
            return
        if status is None:
            self.progress.update(task, completed=job.steps_done())
        elif status:
            self._forget(task)
            self._fail(job, self._last_words(job, status))
        elif job.folder.finished:
            self._forget(task)
            self.progress.advance(self.all)
        else:
            running.ended = running.ended or time.monotonic()
            if time.monotonic() - running.ended >= self.engine.lag:
                self._forget(task)
                self._fail(job, f"ended, but {job.folder.summary} is not here")

    def _forget(self, task: int) -> None:
        del self.running[task]
        self.progress.remove_task(task)

    def _begin_again(self, job: Job, death: ProcessDied) -> None:
        self.deaths[job.folder.path] += 1
        if self.deaths[job.folder.path] > self.engine.retries:
            self._fail(job, str(death))
        else:
            self.pending.insert(0, job)

    def _fail(self, job: Job, why: str) -> None:
        self.failed.append(job)
        self.progress.say(f"{job.name}: {why}")

    def _last_words(self, job: Job, status: int) -> str:
        lines = self._log(job).read_text("utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"ended with status {status}"

    def _log(self, job: Job) -> Path:
        return self.logs / f"{job.folder.path.name}.log"
