"""Searches with several seeds at once: in processes, or in threads where trainings are the work."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.parallel.local import LocalEngine
from gnn_nas.parallel.pool import Pool, WorkerDied
from gnn_nas.run_folder import RunFolder

if TYPE_CHECKING:
    from gnn_nas.objective import Objective, Report
    from gnn_nas.spaces.index import CellIndex
    from gnn_nas.spaces.space import CellSpace

# Seconds between two looks at how far the searches are.
_TICK = 0.3

Source = Callable[[], "tuple[CellIndex, Objective, Report]"]
"""Opens the cells, what a search may see of them, and what it must not. Raises UserError."""


@dataclass(frozen=True)
class BenchmarkSource:
    """Opens measurements; a `Source` for any process.

    Args:
        path: where they are: see `gnn_nas.benchmarks.locate.find_any_benchmark`.
        protocol: one of `gnn_nas.benchmarks.protocols.PROTOCOLS`.
        dataset: one of the space's, None where there is one.
    """

    path: str | os.PathLike[str] | None
    protocol: str
    dataset: str | None = None

    def __call__(self) -> tuple[CellIndex, Objective, Report]:
        from gnn_nas.benchmarks.locate import find_any_benchmark
        from gnn_nas.benchmarks.protocols import objective_and_report

        benchmark = find_any_benchmark(self.path, dataset=self.dataset)
        return benchmark.table, *objective_and_report(benchmark, self.protocol)


@dataclass(frozen=True)
class TableSource:
    """Opens a table of the user's own; a `Source` for any process.

    Args:
        path: the file; reward: its column of rewards; space: of its cells.
    """

    path: Path
    reward: str
    space: CellSpace

    def __call__(self) -> tuple[CellIndex, Objective, Report]:
        from gnn_nas.benchmarks.columns import read_columns
        from gnn_nas.benchmarks.own_table import OwnTable
        from gnn_nas.spaces.index import open_index

        table = open_index(self.space)
        own = OwnTable(table, read_columns(self.path), self.reward)
        return table, *own.objective_and_report()


class Workers:
    """Processes that search with one seed after the other and never outlive the context.

    They load what a search needs as soon as they are made, while their maker loads it too and finds
    out what there is to search. Every process computes with one thread, so that a seed gives the
    same history however many there are.

    Args:
        count: of processes.
    """

    def __init__(self, count: int) -> None:
        pool = Pool(LocalEngine(_Search(), count), early=count)
        self._submit: Callable[[Any], Future] = pool.submit
        self._end: Callable[[], None] = pool.close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def search(
        self, folder: RunFolder, config: SearchConfig, source: Source, watch: Callable[[], None]
    ) -> None:
        """Search with all seeds that are not done yet.

        Args:
            source: of the rewards, opened once by every process; must survive pickling.
            watch: called several times a second.

        Raises:
            UserError: of a search, or a process was killed.
            Terminated: a process was asked to end.
            RuntimeError: a process failed; its traceback is on stderr.
        """
        pending = [seed for seed in config.all_seeds if not folder.controller(seed).finished]
        left = {self._submit((folder, config, seed, source)) for seed in pending}
        while left:
            ended, left = wait(left, timeout=_TICK, return_when="FIRST_COMPLETED")
            for search in ended:
                try:
                    search.result()
                except WorkerDied as death:
                    raise UserError(
                        f"a search was lost, as {death}, perhaps for want of memory: continue with"
                        " --resume and fewer --jobs"
                    ) from None
            watch()


class Threads(Workers):
    """The same in threads of this process, for an objective that has others do the work.

    Leaving the context waits for searches to end, which they do as soon as the objective raises.

    Args:
        count: of searches at once.
    """

    def __init__(self, count: int) -> None:
        import torch

        torch.set_num_threads(1)
        threads = ThreadPoolExecutor(count, "search")
        search = _Search()
        self._submit = lambda job: threads.submit(search, job)
        self._end = functools.partial(threads.shutdown, cancel_futures=True)


class _Search:
    """A search with one seed; where it is unpickled, what it needs is loaded at once."""

    def __reduce__(self) -> tuple:
        return _load, ()

    def __call__(self, job: tuple[RunFolder, SearchConfig, int, Source]) -> None:
        from gnn_nas.experiments.searches.seed import run_seed

        folder, config, seed, source = job
        run_seed(folder, config, seed, *_opened(source))


def _load() -> _Search:
    import gnn_nas.experiments.searches.seed  # noqa: F401

    return _Search()


# A process has all its seeds from one.
_opened = functools.lru_cache(1)(lambda source: source())
