"""Processes of this machine: they take jobs through a pipe and never outlive who started them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any

from gnn_nas.errors import UserError, paths_reported
from gnn_nas.parallel.pool import TimedOut, WorkerDied
from gnn_nas.signals import Terminated

# Seconds until a process that was asked to end is killed.
_UNTIL_KILLED = 20.0
# Processes are started one at a time, in whichever thread.
_STARTING = threading.Lock()


class LocalEngine:
    """Makes processes; a `gnn_nas.parallel.pool.Engine`.

    A job whose process is killed is not begun again: it may have taken all memory there is, and
    would do so again.
    """

    retries = 0
    lag = 0.0

    def __init__(self, work: Callable[[Any], Any], workers: int) -> None:
        self.workers = workers
        self._work = work

    def start(self) -> LocalWorker:
        """Start a process."""
        return LocalWorker(self._work)

    def end(self, workers: list[LocalWorker]) -> None:
        """Ask processes to end by SIGTERM, and kill those that do not listen."""
        for worker in workers:
            worker.process.terminate()
        deadline = time.monotonic() + _UNTIL_KILLED
        for worker in workers:
            worker.join(max(0, deadline - time.monotonic()))
            worker.process.kill()
            worker.join()

    def close(self) -> None:
        """Processes are all there is, and they have ended."""


class LocalWorker:
    """One process; a `gnn_nas.parallel.pool.Worker`."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        context = multiprocessing.get_context("spawn")  # forked threads of torch may never wake
        self._connection, theirs = context.Pipe()
        # The first process would start it, and that unblocks the interrupts blocked below.
        resource_tracker.ensure_running()
        self.process = context.Process(target=_serve, args=(theirs,))
        with _without_interrupts(), _without_main():
            self.process.start()
        # Only the process is to hold its end, so that its death is seen as the end of the pipe.
        theirs.close()
        self._joining = threading.Lock()
        self.begin(work)

    def begin(self, job: Any) -> None:
        """Send it a job."""
        # Where it has died, that is noticed when it is listened to.
        with contextlib.suppress(OSError):
            self._connection.send(job)

    def take(self, seconds: float | None) -> tuple[Any, Exception | None]:
        """Receive what it sends. Raises TimedOut, WorkerDied or Terminated."""
        try:
            if self._connection.poll(seconds):
                return self._connection.recv()
            raise TimedOut(f"not done after {seconds:g} seconds")
        except (EOFError, OSError):
            self.join()
            code = self.process.exitcode or 0
            if code == -signal.SIGTERM:
                raise Terminated from None
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            raise WorkerDied(f"the process {how}") from None

    def join(self, seconds: float | None = None) -> None:
        """Wait for its end; from any thread, of which only one can learn how it was."""
        with self._joining:
            self.process.join(seconds)


def _serve(connection: Connection) -> None:
    """Do jobs: the first thing that comes is the work, and the answer that it is there."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError):
        try:
            work = connection.recv()
        except UserError as error:  # say a user's module that cannot be imported here
            connection.send((None, error))
            return
        if torch := sys.modules.get("torch"):
            # So that what is computed does not depend on how many processes there are.
            torch.set_num_threads(1)
        connection.send((None, None))
        while True:
            connection.send(_done(work, connection.recv()))


def _done(work: Callable[[Any], Any], job: Any) -> tuple[Any, Exception | None]:
    try:
        with paths_reported():
            return work(job), None
    except UserError as error:
        return None, error
    except Exception:  # a defect
        traceback.print_exc()
        return None, RuntimeError("a process failed: see its traceback")


def _end_with_parent() -> None:
    """End this process when the one that started it is gone.

    Left alone, it would go on writing files that the next call writes too.
    """
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Start a process that does not import the script which starts it.

    It needs nothing of it, and a script without ``if __name__ == "__main__"`` would run again.
    """
    main = sys.modules["__main__"]
    with _STARTING:
        file, main.__dict__["__file__"] = main.__dict__.get("__file__"), None
        spec, main.__spec__ = main.__spec__, None
        try:
            yield
        finally:
            main.__spec__ = spec
            if file is None:
                del main.__dict__["__file__"]
            else:
                main.__dict__["__file__"] = file


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C reaches a whole terminal; what is started here leaves it to this process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
