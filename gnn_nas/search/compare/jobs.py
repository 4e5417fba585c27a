"""Commands as processes, several at a time, in the order in which they need each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gnn_nas.errors import reported
from gnn_nas.search.compare.plan import Job

# Seconds between two looks at the processes, and until one that was asked to end is killed.
_TICK = 0.3
_PATIENCE = 20


def run_jobs(jobs: list[Job], at_once: int, logs: Path) -> list[Job]:
    """Run all jobs that are not finished, each with one thread, and give those that are not then.

    The line with which a failing one ends is shown, and the others go on, but for those that need
    it. No process outlives this call, nor the process that made it.

    Args:
        at_once: processes; logs: folder for what the commands say.

    Raises:
        UserError: the logs cannot be written.
    """
    return _Runner(jobs, at_once, logs).run()


class _Runner:
    def __init__(self, jobs: list[Job], at_once: int, logs: Path) -> None:
        self.at_once = at_once
        self.logs = logs
        self.pending = [job for job in jobs if not job.folder.finished]
        self.running: dict[int, tuple[Job, subprocess.Popen]] = {}
        self.failed: list[Job] = []
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
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
                    self._look()
            finally:
                self._end_all()
        return self.failed

    def _start_ready(self) -> None:
        for job in list(self.pending):
            if job.after in self.failed:
                self.pending.remove(job)
                self._fail(job, f"not begun, as it needs {job.after.name}")
            elif len(self.running) < self.at_once and (
                job.after is None or job.after.folder.finished
            ):
                self.pending.remove(job)
                process = self._start(job)
                task = self.progress.add_task(job.name, total=job.steps)
                self.running[task] = job, process

    def _start(self, job: Job) -> subprocess.Popen:
        command = [sys.executable, "-P", "-m", "gnn_nas.search.compare.child", job.module]
        with reported(f"cannot write {self._log(job)}"):
            self.logs.mkdir(parents=True, exist_ok=True)
            with self._log(job).open("wb") as log:
                return subprocess.Popen(
                    [*command, *job.options()],
                    env={**os.environ, "OMP_NUM_THREADS": "1"},
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # Ctrl-C reaches a whole terminal; what is started here leaves it to this one.
                    start_new_session=True,
                )

    def _look(self) -> None:
        for task, (job, process) in list(self.running.items()):
            if process.poll() is None:
                self.progress.update(task, completed=job.steps_done())
                continue
            process.stdin.close()
            del self.running[task]
            self.progress.remove_task(task)
            if process.returncode == 0 and job.folder.finished:
                self.progress.advance(self.all)
            else:
                self._fail(job, self._last_words(job, process.returncode))

    def _fail(self, job: Job, why: str) -> None:
        self.failed.append(job)
        self.progress.console.print(
            f"{job.name}: {why}", markup=False, highlight=False, soft_wrap=True
        )

    def _last_words(self, job: Job, status: int) -> str:
        if status < 0:
            return f"killed by signal {-status}, perhaps for want of memory: try fewer --jobs"
        lines = self._log(job).read_text("utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"ended with status {status}"

    def _log(self, job: Job) -> Path:
        return self.logs / f"{job.folder.path.name}.log"

    def _end_all(self) -> None:
        for _, process in self.running.values():
            process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + _PATIENCE
        for _, process in self.running.values():
            try:
                process.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdin.close()
