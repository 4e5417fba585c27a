"""Processes that search with one seed after the other."""

from __future__ import annotations

import contextlib
import threading
import traceback
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from gnn_nas.errors import UserError
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.config import SearchConfig
from gnn_nas.search.sources import Source
from gnn_nas.tasks.processes import end_with_parent, start_process

# Seconds between two looks at how far the processes are.
_TICK = 0.3


def run_seeds(
    folder: RunFolder,
    config: SearchConfig,
    source: Source,
    jobs: int,
    watch: Callable[[], None],
    answer: Callable[[object], object] | None = None,
) -> None:
    """Search with all seeds that are not done yet, in at most ``jobs`` processes.

    Every process computes with one thread, so that a seed gives the same history however many
    there are. No process outlives this call, nor the process that made it.

    Args:
        source: of the rewards, opened by every process.
        watch: called several times a second.
        answer: called with what a process's objective asks for, each time in a thread of its own.

    Raises:
        UserError: of a process, or a process was killed.
        RuntimeError: a process failed; its traceback is on stderr.
    """
    pending = deque(seed for seed in config.all_seeds if not folder.controller(seed).finished)
    processes: dict[Connection, BaseProcess] = {}
    try:
        for _ in range(min(jobs, len(pending))):
            connection, process = start_process(_work, folder, config, source)
            processes[connection] = process
            connection.send(pending.popleft())
        busy = dict(processes)
        while busy:
            for connection in wait(list(busy), timeout=_TICK):
                message = _receive(connection, busy[connection])
                if message is not None:
                    threading.Thread(
                        target=_reply, args=(connection, answer, message), daemon=True
                    ).start()
                elif pending:
                    connection.send(pending.popleft())
                else:
                    del busy[connection]
            watch()
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.join()


def _receive(connection: Connection, process: BaseProcess) -> object | None:
    """Take a process's word that a seed is done, None, or what it asks for.

    Raises what it or its death has to say instead.
    """
    try:
        message = connection.recv()
    except (EOFError, ConnectionError):
        process.join()
        if process.exitcode < 0:
            raise UserError(
                f"a process of the search was killed by signal {-process.exitcode}, perhaps for"
                " want of memory: continue with --resume and fewer --jobs"
            ) from None
        raise RuntimeError("a process of the search failed: see its traceback") from None
    if isinstance(message, UserError):
        raise message
    return message


def _reply(connection: Connection, answer: Callable[[object], object], message: object) -> None:
    try:
        reply = answer(message)
    except UserError as error:
        reply = error
    except Exception:  # a defect; the process must not wait for ever
        traceback.print_exc()
        reply = RuntimeError("what a search asked for could not be answered")
    # A process that has ended in the meantime is noticed where its messages are received.
    with contextlib.suppress(OSError):
        connection.send(reply)


def _work(connection: Connection, folder: RunFolder, config: SearchConfig, source: Source) -> None:
    """Search with every seed that comes, and answer with None, or with the user's mistake."""
    end_with_parent()

    import torch

    from gnn_nas.search.run import run_seed

    def ask(message: object) -> object:
        connection.send(message)
        reply = connection.recv()
        if isinstance(reply, Exception):
            raise reply
        return reply

    torch.set_num_threads(1)
    try:
        table, objective, report = source.open(ask)
        while True:
            run_seed(folder, config, connection.recv(), table, objective, report)
            connection.send(None)
    except UserError as error:
        connection.send(error)
