"""Processes that take orders through a pipe and never outlive the one that started them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess


def start_process(target: Callable[..., None], *args: object) -> tuple[Connection, BaseProcess]:
    """Start ``target(connection, *args)`` in a process, and give our end of its connection."""
    context = multiprocessing.get_context("spawn")  # forked threads of torch may never wake
    connection, theirs = context.Pipe()
    # The first process would start it, and that unblocks the interrupts which are blocked below.
    resource_tracker.ensure_running()
    process = context.Process(target=target, args=(theirs, *args))
    with _without_interrupts():
        process.start()
    # Only the process is to hold its end, so that its death is seen as the end of the pipe.
    theirs.close()
    return connection, process


def end_with_parent() -> None:
    """Let this process die as soon as the one that started it is gone.

    Left alone, it would go on writing files that the next call writes too.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C reaches a whole terminal; what is started here leaves it to this process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
