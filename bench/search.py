"""NAO searches of one seed on one core, protocol oracle, with the shipped controller.

By the command, and by asking and telling while other cells are out.
"""

import functools
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from torch import Tensor

from bench.apart import apart, peak_memory
from bench.measuring import Figure, Times, at_most, say
from gnn_nas.benchmarks.locate import VARIABLE, find_benchmark, has_benchmark
from gnn_nas.benchmarks.protocols import objective_and_report
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.experiments.searches.seed import run_seed
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.models.pretrained import SHIPPED, load_pretrained
from gnn_nas.objective import Evaluation, Objective
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.methods import get_method
from gnn_nas.search.searcher import Searcher

METHOD, PROTOCOL, SEED = "nao", "oracle", 0
QUERIES, SHORT = 300, 80
TOLD, WORKERS, ASKS = 100, 8, 10

WITHOUT = f"skipped: no measurements of NAS-Bench-101, {VARIABLE} can name them"
"""What is said of a search where there is nothing to search in."""


@dataclass(frozen=True)
class Searched:
    """How a search went.

    Args:
        queries: made after every round; elapsed: seconds from its beginning until then.
        seconds: until its end; peak: megabytes.
    """

    queries: list[int]
    elapsed: list[float]
    seconds: float
    peak: float


def measure() -> list[Figure]:
    """Measure a short search's rounds and a whole search; each in its own process."""
    if not has_benchmark():
        return [Figure("search", None, condition=WITHOUT)]
    short, whole = searched(SHORT), searched(QUERIES)
    rounds = Times(tuple(after - before for before, after in pairwise(short.elapsed)), 1)
    say(f"asks beside {WORKERS - 1} pending cells")
    first, asks = apart(_ask, threads=1)
    condition = f"{METHOD}, seed {SEED}"
    return [
        rounds.spent("a round", "s", condition=f"of the first {SHORT} queries"),
        Figure("a round, mean", sum(rounds.seconds) / len(rounds.seconds), "s", "the same", 1),
        Figure(
            "the first ask",
            first,
            "s",
            f"of {WORKERS} cells, {METHOD}",
            1,
            target=at_most(round(1 + rounds.median, 2)),
        ),
        asks.spent("ask(1)", "s", condition=f"{TOLD} cells told, {WORKERS - 1} pending, {METHOD}"),
        Figure(
            f"search of {QUERIES} queries", whole.seconds, "s", condition, 1, target=at_most(45)
        ),
        Figure(f"search of {SHORT} queries, peak memory", short.peak, "MB", condition, 1),
        Figure(
            f"search of {QUERIES} queries, peak memory",
            whole.peak,
            "MB",
            condition,
            1,
            target=at_most(1000),
        ),
    ]


@functools.cache
def searched(queries: int) -> Searched:
    """Search in a process of one thread; the same search is made once only."""
    say(f"a search of {queries} queries")
    return apart(_search, queries, threads=1)


class _Watched:
    """An objective that notes when it is asked."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.allowed = objective.allowed
        self.asked: list[int] = []
        self.at: list[float] = []

    def evaluate(self, rows: Tensor) -> list[Evaluation]:
        evaluations = self.objective.evaluate(rows)
        self.asked.append(sum(self.asked[-1:]) + len(rows))
        self.at.append(time.perf_counter())
        return evaluations


def _search(queries: int) -> Searched:
    benchmark = find_benchmark()
    objective, report = objective_and_report(benchmark, PROTOCOL)
    watched = _Watched(objective)
    config = SearchConfig(
        method=METHOD,
        protocol=PROTOCOL,
        queries=queries,
        seeds=1,
        seed=SEED,
        checkpoint=str(SHIPPED),
        weights=open_checkpoint(str(SHIPPED)).fingerprint,
        benchmark=benchmark.identity,
        settings=get_method(METHOD).Settings().model_dump(),
    )
    with tempfile.TemporaryDirectory() as path:
        folder = RunFolder.create(Path(path) / "search", config)
        started = time.perf_counter()
        run_seed(folder, config, SEED, benchmark.table, watched, report)
        seconds = time.perf_counter() - started
    elapsed = [at - started for at in watched.at]
    return Searched(watched.asked, elapsed, seconds, peak_memory())


def _ask() -> tuple[float, Times]:
    """Seconds of a searcher's first ask, and of later ones, each for one of the workers."""
    benchmark = find_benchmark()
    rewards = benchmark.mean_test(benchmark.all_rows())
    searcher = Searcher(
        benchmark.table, load_pretrained(SHIPPED), METHOD, SEED, budget=TOLD + WORKERS + ASKS
    )

    def spent(count: int) -> float:
        started = time.perf_counter()
        searcher.ask(count)
        return time.perf_counter() - started

    first = spent(WORKERS)
    asks = []
    while searcher.seen.remaining:
        cell = searcher.pending[0]
        searcher.tell(cell, rewards[cell.row].item())
        asks.append(spent(1))
    return first, Times(tuple(asks[TOLD:]), 1)
