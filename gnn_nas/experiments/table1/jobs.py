"""The commands of a comparison, several at a time, in the order in which they need each other."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn

from gnn_nas.errors import UserError, reported
from gnn_nas.experiments.table1.plan import Job
from gnn_nas.parallel.commands import Command
from gnn_nas.parallel.pool import Engine, Pool, WorkerDied
from gnn_nas.progress import Description, Progress

# Seconds between two looks at the jobs.
_TICK = 0.3


def run_jobs(jobs: list[Job], engine: Engine, logs: Path) -> list[Job]:
    """Run all jobs that are not finished, and give those that are not then.

    The line with which a failing one ends is shown, and the others go on, but for those that need
    it. No process outlives this call, which closes the engine.

    Args:
        engine: its work is `gnn_nas.parallel.commands.run_command`.
        logs: folder for what the commands say.

    Raises:
        UserError: the logs cannot be written.
    """
    left = [job for job in jobs if not job.folder.finished]
    progress = Progress(
        Description(), BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn()
    )
    runner = _Runner(engine, logs, progress)
    failed: list[Job] = []
    with progress, ThreadPoolExecutor(len(left) or 1, "jobs") as threads, runner:
        bar = progress.add_task("jobs", total=len(jobs), completed=len(jobs) - len(left))
        for job in sorted(left, key=lambda job: job.after is not None):
            runner.ends[id(job)] = threads.submit(runner.run, job)
        waiting = {runner.ends[id(job)]: job for job in left}
        while waiting:
            for end in wait(waiting, return_when="FIRST_COMPLETED").done:
                job = waiting.pop(end)
                if why := end.result():
                    failed.append(job)
                    progress.say(f"{job.name}: {why}")
                else:
                    progress.advance(bar)
    return [job for job in jobs if job in failed]


class _Runner:
    """Sees a job through, in a thread for each; leaving the context ends all commands."""

    def __init__(self, engine: Engine, logs: Path, progress: Progress) -> None:
        self.ends: dict[int, Future[str | None]] = {}
        """Of all jobs that are to be run."""
        self._pool = Pool(engine, fresh=True)
        self._logs = logs
        self._progress = progress
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._pool.close()

    def run(self, job: Job) -> str | None:
        """Run a job after the one that it needs, and say why it is not finished then."""
        needed = job.after and self.ends.get(id(job.after))
        if needed and needed.result():
            return f"not begun, as it needs {job.after.name}"
        log = self._logs / f"{job.folder.path.name}.log"
        with reported(f"cannot write {log}"):
            self._logs.mkdir(parents=True, exist_ok=True)
            log.write_bytes(b"")
        status = self._pool.submit(Command(job.module, job.options(), log.absolute()))
        try:
            self._follow(job, status)
            if status.result():
                lines = log.read_text("utf-8", errors="replace").splitlines()
                said = [line.strip() for line in lines if line.strip()]
                return said[-1] if said else f"ended with status {status.result()}"
        except WorkerDied as death:
            return f"{death}, perhaps for want of memory: try fewer --jobs"
        except UserError as error:
            return str(error)
        ended = time.monotonic()
        while not job.folder.finished:
            if self._closed.wait(_TICK) or time.monotonic() - ended > self._pool.engine.lag:
                return f"ended, but {job.folder.summary} is not here"
        return None

    def _follow(self, job: Job, status: Future[int]) -> None:
        """Show how far a command is, from its beginning to its end."""
        task = None
        while not wait([status], timeout=_TICK).done:
            if task is None and status.running():
                task = self._progress.add_task(job.name, total=job.steps)
            if task is not None:
                self._progress.update(task, completed=job.steps_done())
        if task is not None:
            self._progress.remove_task(task)
