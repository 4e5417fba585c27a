"""Processes that search with one seed after the other."""

from __future__ import annotations

import contextlib
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Self

from gnn_nas.errors import UserError, paths_reported
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.experiments.searches.sources import Source
from gnn_nas.parallel.processes import end_with_parent, start_process
from gnn_nas.run_folder import RunFolder
from gnn_nas.signals import Terminated

# Seconds between two looks at how far the processes are.
_TICK = 0.3


class Workers:
    """Processes that search with one seed after the other and never outlive the context.

    They load what a search needs as soon as they are made, while their maker loads it too and finds
    out what there is to search. Every process computes with one thread, so that a seed gives the
    same history however many there are.

    Args:
        count: of processes.
    """

    def __init__(self, count: int) -> None:
        self._processes = dict(start_process(_work) for _ in range(count))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.join()

    def search(
        self,
        folder: RunFolder,
        config: SearchConfig,
        source: Source,
        watch: Callable[[], None],
        answer: Callable[[object], object] | None = None,
    ) -> None:
        """Search with all seeds that are not done yet.

        Args:
            source: of the rewards, opened by every process.
            watch: called several times a second.
            answer: called with what a process's objective asks for, each time in a thread of its
                own.

        Raises:
            UserError: of a process, or a process was killed.
            RuntimeError: a process failed; its traceback is on stderr.
        """
        pending = deque(seed for seed in config.all_seeds if not folder.controller(seed).finished)
        busy: dict[Connection, BaseProcess] = {}
        for connection, process in self._processes.items():
            if pending:
                _send(connection, (folder, config, source))
                _send(connection, pending.popleft())
                busy[connection] = process
        while busy:
            for connection in wait(list(busy), timeout=_TICK):
                message = _receive(connection, busy[connection])
                if message is not None:
                    threading.Thread(
                        target=_reply, args=(connection, answer, message), daemon=True
                    ).start()
                elif pending:
                    _send(connection, pending.popleft())
                else:
                    del busy[connection]
            watch()


def _send(connection: Connection, message: object) -> None:
    # A process that has ended in the meantime is noticed where its messages are received.
    with contextlib.suppress(OSError):
        connection.send(message)


def _receive(connection: Connection, process: BaseProcess) -> object | None:
    """Take a process's word that a seed is done, None, or what it asks for.

    Raises what it or its death has to say instead.
    """
    try:
        message = connection.recv()
    except (EOFError, ConnectionError):
        process.join()
        if process.exitcode == -signal.SIGTERM:
            # Whatever ends a whole job, as SLURM does, may come to this process last.
            raise Terminated from None
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
        with paths_reported():
            reply = answer(message)
    except UserError as error:
        reply = error
    except Exception:  # a defect; the process must not wait for ever
        traceback.print_exc()
        reply = RuntimeError("what a search asked for could not be answered")
    _send(connection, reply)


def _work(connection: Connection) -> None:
    """Search with every seed that comes, and answer with None, or with the user's mistake."""
    end_with_parent()

    import torch

    from gnn_nas.experiments.searches.run import run_seed

    def ask(message: object) -> object:
        connection.send(message)
        reply = connection.recv()
        if isinstance(reply, Exception):
            raise reply
        return reply

    torch.set_num_threads(1)
    try:
        with paths_reported():
            folder, config, source = connection.recv()
            table, objective, report = source.open(ask)
            while True:
                run_seed(folder, config, connection.recv(), table, objective, report)
                connection.send(None)
    except UserError as error:
        connection.send(error)
