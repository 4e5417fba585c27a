"""Commands as processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from gnn_nas.experiments.table1.jobs import ProcessDied
from gnn_nas.experiments.table1.plan import Job

# Seconds until a process that was asked to end is killed.
_PATIENCE = 20


class LocalEngine:
    """Makes processes; a `gnn_nas.experiments.table1.jobs.Engine`.

    A command that is killed counts as failed: it may have taken all memory there is, and would do
    so again.

    Args:
        at_once: how many.
    """

    retries = 0
    lag = 0.0

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once

    def start(self, job: Job, log: Path) -> LocalProcess:
        """Start a job's command."""
        return LocalProcess(start_child(job.module, job.options(), log))

    def end(self, processes: list[LocalProcess]) -> None:
        """End processes as Ctrl-C does, and kill those that do not listen."""
        end_children([process.child for process in processes])

    def close(self) -> None:
        """Processes are all there is, and they have ended."""


class LocalProcess:
    """One process; a `gnn_nas.experiments.table1.jobs.Process`."""

    def __init__(self, child: subprocess.Popen) -> None:
        self.child = child

    def status(self) -> int | None:
        """See whether it has ended. Raises ProcessDied."""
        status = self.child.poll()
        if status is None:
            return None
        self.child.stdin.close()
        if status < 0:
            raise ProcessDied(killed_by(-status))
        return status


def start_child(
    module: str,
    options: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: str | None = None,
) -> subprocess.Popen:
    """Start a command with one thread, that lives no longer than this process. Raises OSError.

    Args:
        log: a file that what it says is appended to.
        environment: variables beside those of this process; folder: where it runs, by default here.
    """
    with log.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "gnn_nas.experiments.table1.child", module, *options],
            env={**os.environ, **(environment or {}), "OMP_NUM_THREADS": "1"},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches a whole terminal; what is started here leaves it to this one.
            start_new_session=True,
        )


def end_children(children: list[subprocess.Popen]) -> None:
    """End processes as Ctrl-C does, and kill those that do not listen."""
    for child in children:
        child.send_signal(signal.SIGINT)
    deadline = time.monotonic() + _PATIENCE
    for child in children:
        try:
            child.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        child.stdin.close()


def killed_by(number: int) -> str:
    """What to say of a process that a signal has ended."""
    return f"killed by signal {number}, perhaps for want of memory: try fewer --jobs"
