"""Processes that search with one seed after the other."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from gnn_nas.errors import UserError
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.config import SearchConfig

# Seconds between two looks at how far the processes are.
_TICK = 0.3


def run_seeds(
    folder: RunFolder,
    config: SearchConfig,
    benchmark_path: str | os.PathLike[str] | None,
    jobs: int,
    watch: Callable[[], None],
) -> None:
    """Search with all seeds that are not done yet, in at most ``jobs`` processes.

    Every process computes with one thread, so that a seed gives the same history however many
    there are. No process outlives this call, nor the process that made it.

    Args:
        benchmark_path: where processes are to open the benchmark: see `find_benchmark`.
        watch: called several times a second.

    Raises:
        UserError: of a process, or a process was killed.
        RuntimeError: a process failed; its traceback is on stderr.
    """
    pending = deque(seed for seed in config.all_seeds if not folder.controller(seed).finished)
    processes: dict[Connection, BaseProcess] = {}
    try:
        for _ in range(min(jobs, len(pending))):
            connection, process = _start(folder, config, benchmark_path)
            processes[connection] = process
            connection.send(pending.popleft())
        busy = dict(processes)
        while busy:
            for connection in wait(list(busy), timeout=_TICK):
                _receive(connection, busy[connection])
                if pending:
                    connection.send(pending.popleft())
                else:
                    del busy[connection]
            watch()
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.join()


def _start(
    folder: RunFolder, config: SearchConfig, benchmark_path: str | os.PathLike[str] | None
) -> tuple[Connection, BaseProcess]:
    context = multiprocessing.get_context("spawn")  # forked threads of torch may never wake
    connection, theirs = context.Pipe()
    # The first process would start it, and that unblocks the interrupts which are blocked below.
    resource_tracker.ensure_running()
    process = context.Process(target=_work, args=(theirs, folder, config, benchmark_path))
    with _without_interrupts():
        process.start()
    # Only the process is to hold its end, so that its death is seen as the end of the pipe.
    theirs.close()
    return connection, process


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C reaches a whole terminal; what is started here leaves it to this process."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _receive(connection: Connection, process: BaseProcess) -> None:
    """Take a process's word that a seed is done; raise what it or its death has to say instead."""
    try:
        error = connection.recv()
    except (EOFError, ConnectionError):
        process.join()
        if process.exitcode < 0:
            raise UserError(
                f"a process of the search was killed by signal {-process.exitcode}, perhaps for"
                " want of memory: continue with --resume and fewer --jobs"
            ) from None
        raise RuntimeError("a process of the search failed: see its traceback") from None
    if error is not None:
        raise error


def _work(
    connection: Connection,
    folder: RunFolder,
    config: SearchConfig,
    benchmark_path: str | os.PathLike[str] | None,
) -> None:
    """Search with every seed that comes, and answer with None, or with the user's mistake."""
    threading.Thread(target=_end_with_parent, daemon=True).start()

    import torch

    from gnn_nas.benchmarks.locate import find_benchmark
    from gnn_nas.benchmarks.protocols import objective_and_report
    from gnn_nas.search.run import run_seed

    torch.set_num_threads(1)
    try:
        benchmark = find_benchmark(benchmark_path)
        while True:
            objective, report = objective_and_report(benchmark, config.protocol)
            run_seed(folder, config, connection.recv(), benchmark.table, objective, report)
            connection.send(None)
    except UserError as error:
        connection.send(error)


def _end_with_parent() -> None:
    """A process whose parent was killed must not go on: the next one will write the same files."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
