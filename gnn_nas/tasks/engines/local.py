"""Trainings in processes of this machine, with one thread each."""

from __future__ import annotations

import contextlib
import signal
from multiprocessing.connection import Connection, wait

from gnn_nas.errors import UserError
from gnn_nas.parallel.processes import end_with_parent, start_process
from gnn_nas.tasks.engines.pool import WorkerDied
from gnn_nas.tasks.task import Task
from gnn_nas.tasks.trainings import Job, Outcome, make_training


class LocalEngine:
    """Makes processes; a `gnn_nas.tasks.engines.pool.Engine`.

    A training whose process is killed counts as failed: it may have taken all memory there is, and
    would do so again.

    Args:
        task: whose cells are trained; workers: processes at once.
    """

    retries = 0

    def __init__(self, task: Task, workers: int) -> None:
        self.workers = workers
        self._task = task

    def start(self) -> LocalWorker:
        """Start a process."""
        return LocalWorker(self._task)

    def wait(self, workers: list[LocalWorker], seconds: float) -> list[LocalWorker]:
        """Those that have something to say."""
        by_connection = {worker.connection: worker for worker in workers}
        return [by_connection[each] for each in wait(list(by_connection), seconds)]

    def close(self) -> None:
        """Processes are all there is, and they have ended."""


class LocalWorker:
    """One process; a `gnn_nas.tasks.engines.pool.Worker`."""

    def __init__(self, task: Task) -> None:
        self.connection, self._process = start_process(_work, task)

    def begin(self, job: Job) -> None:
        """Send it a training."""
        # Where it has died, that is noticed when it is listened to.
        with contextlib.suppress(OSError):
            self.connection.send(job)

    def take(self) -> Outcome | None:
        """Receive what it has sent. Raises WorkerDied, or UserError where it was asked to end."""
        try:
            return self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            if code == -signal.SIGTERM:
                # By whatever ends a whole job, as SLURM does: the cell is not to blame.
                raise UserError(
                    "a process for trainings was asked to end: continue with --resume"
                ) from None
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            raise WorkerDied(f"the process {how}") from None

    def end(self) -> None:
        """Kill it: code that hangs would not listen to anything less."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _work(connection: Connection, task: Task) -> None:
    """Say None as a sign of being ready, then answer every training with its outcome."""
    end_with_parent()

    import torch

    torch.set_num_threads(1)
    connection.send(None)
    while True:
        connection.send(make_training(task, connection.recv()))
