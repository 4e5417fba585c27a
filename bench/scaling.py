"""How costs grow with batch, width, cells, queries, threads; from where faster than linearly."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from bench.apart import apart
from bench.embed import embedding_times
from bench.measuring import Figure, Times, say, time_of
from bench.search import QUERIES, WITHOUT, searched
from bench.steps import MAIN, pretraining
from gnn_nas.benchmarks.locate import has_benchmark
from gnn_nas.config import load_config
from gnn_nas.pretraining.batches import BLOCK
from gnn_nas.spaces.table import load_table

BATCHES = (64, 128, 256, 512, 1024, 2048)
WIDTHS = (32, 64, 128, 256, 512)
CELLS = (1 << 12, 1 << 14, 1 << 16, 1 << 18)
THREADS = (1, 2)
# Queries of the rounds that are shown, as nearly as rounds come.
_SHOWN = (16, 32, 64, 128, 192, 256, QUERIES)

# Exponents up to here count as linear: times on a shared machine vary by some percent.
_LINEAR = 1.1


def measure() -> list[Figure]:
    """Measure every cost on one thread and on two, the search on one."""
    cells = (*CELLS, len(load_table()))
    sweeps: dict[str, tuple[Sequence[int], Callable[..., list[Times]], tuple]] = {
        "step by samples in a batch": (BATCHES, _steps, ("data.batch_size", BATCHES)),
        "step by width": (WIDTHS, _steps, ("model.encoder.hidden", WIDTHS)),
        "embedding by cells": (cells, embedding_times, (cells, 3)),
    }
    figures = []
    for name, (sizes, function, arguments) in sweeps.items():
        by_threads = []
        for threads in THREADS:
            say(f"{name}, {threads} threads")
            times = apart(function, *arguments, threads=threads)
            by_threads.append(_series(name, sizes, times))
        for series in by_threads:
            figures += [*series, growth(series)]
        figures.append(_speed_up(*(series[-1] for series in by_threads)))
    return figures + _search()


def exponents(series: Iterable[Figure]) -> list[float]:
    """Slopes between neighbours in a log-log plot: 1 where twice the size costs twice as much."""
    return [
        math.log(after.value / before.value) / math.log(after.size / before.size)
        for before, after in pairwise(series)
    ]


def growth(series: Sequence[Figure]) -> Figure:
    """The exponent at a series' end, and from what size on it is above that of a straight line."""
    slopes = exponents(series)
    above = [each.size for each, slope in zip(series, slopes, strict=False) if slope > _LINEAR]
    found = f"faster than linearly from {above[0]:,} on" if above else "at most linearly throughout"
    last = series[-1]
    return Figure(f"{last.name}, exponent at its end", slopes[-1], "", found, last.threads)


def _series(name: str, sizes: Iterable[int], times: Iterable[Times]) -> list[Figure]:
    figures = [
        each.spent(name, condition=f"at {size:,}", size=size)
        for size, each in zip(sizes, times, strict=True)
    ]
    return _with_exponents(figures)


def _with_exponents(series: list[Figure]) -> list[Figure]:
    noted = [f", exponent {slope:.2f}" for slope in exponents(series)]
    return [
        replace(figure, condition=figure.condition + note)
        for figure, note in zip(series, ["", *noted], strict=True)
    ]


def _speed_up(one: Figure, two: Figure) -> Figure:
    name = f"{one.name}, gain of {two.threads} threads"
    return Figure(name, one.value / two.value, "x", f"at {one.size:,}", two.threads)


def _steps(key: str, values: Iterable[int]) -> list[Times]:
    """Times of steps of the main config with a value of it changed."""
    times = []
    for value in values:
        state = pretraining(load_config(MAIN, [f"{key}={value}"]))
        times.append(time_of(state.advance, repeats=5, budget=5, each=BLOCK))
    return times


def _search() -> list[Figure]:
    """Seconds from a search's beginning until so many queries are made."""
    name = "search by queries"
    if not has_benchmark():
        return [Figure(name, None, condition=WITHOUT)]
    found = searched(QUERIES)
    made = dict(zip(found.queries, found.elapsed, strict=True))
    nearest = sorted({min(made, key=lambda count: abs(count - want)) for want in _SHOWN})
    series = _with_exponents(
        [
            Figure(name, 1e3 * made[count], "ms", f"at {count}", threads=1, size=count)
            for count in nearest
        ]
    )
    return [*series, growth(series)]
