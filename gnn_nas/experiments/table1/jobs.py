"""The commands of a comparison, several at a time, in the order in which they need each other."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TimeElapsedColumn

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
    progress = Progress(
        Description(), BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn()
    )
    with progress, Pool(engine, fresh=True) as pool:
        return _Runner(pool, logs, progress).run(jobs)


@dataclass(eq=False)
class _Running:
    """A job whose command was asked for; it may still wait."""

    job: Job
    status: Future[int]
    task: TaskID | None = None
    ended: float | None = None
    """When it was first seen to have ended well."""


class _Runner:
    def __init__(self, pool: Pool, logs: Path, progress: Progress) -> None:
        self.pool = pool
        self.logs = logs
        self.progress = progress
        self.failed: list[Job] = []

    def run(self, jobs: list[Job]) -> list[Job]:
        pending = [job for job in jobs if not job.folder.finished]
        done = len(jobs) - len(pending)
        bar = self.progress.add_task("jobs", total=len(jobs), completed=done)
        running: list[_Running] = []
        while pending or running:
            for job in list(pending):
                if job.after in self.failed:
                    pending.remove(job)
                    self._fail(job, f"not begun, as it needs {job.after.name}")
                elif job.after is None or job.after.folder.finished:
                    pending.remove(job)
                    running.append(_Running(job, self._submit(job)))
            time.sleep(_TICK)
            for each in list(running):
                if self._has_ended(each):
                    running.remove(each)
                    if each.task is not None:
                        self.progress.remove_task(each.task)
                    if each.job not in self.failed:
                        self.progress.advance(bar)
        return self.failed

    def _submit(self, job: Job) -> Future[int]:
        log = self._log(job)
        with reported(f"cannot write {log}"):
            self.logs.mkdir(parents=True, exist_ok=True)
            log.write_bytes(b"")
        return self.pool.submit(Command(job.module, job.options(), log.absolute()))

    def _has_ended(self, running: _Running) -> bool:
        job, status = running.job, running.status
        if not status.done():
            if running.task is None and status.running():
                running.task = self.progress.add_task(job.name, total=job.steps)
            if running.task is not None:
                self.progress.update(running.task, completed=job.steps_done())
            return False
        try:
            if status.result():
                self._fail(job, self._last_words(job, status.result()))
                return True
        except WorkerDied as death:
            self._fail(job, f"{death}, perhaps for want of memory: try fewer --jobs")
            return True
        except UserError as error:
            self._fail(job, str(error))
            return True
        running.ended = running.ended or time.monotonic()
        if not job.folder.finished:
            if time.monotonic() - running.ended < self.pool.engine.lag:
                return False
            self._fail(job, f"ended, but {job.folder.summary} is not here")
        return True

    def _fail(self, job: Job, why: str) -> None:
        self.failed.append(job)
        self.progress.say(f"{job.name}: {why}")

    def _last_words(self, job: Job, status: int) -> str:
        lines = self._log(job).read_text("utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"ended with status {status}"

    def _log(self, job: Job) -> Path:
        return self.logs / f"{job.folder.path.name}.log"
