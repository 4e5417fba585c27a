"""What random search finds, exactly: ``python -m bench.random_search``.

Prints mean and standard deviation of the best of so many cells drawn without replacement, over all
draws, computed from the measurements; by protocol oracle.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gnn_nas.benchmarks.locate import find_benchmark
from gnn_nas.cli.common import add_benchmark, run_guarded

COUNTS = (50, 100, 150, 300)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for every number of queries and return the exit status."""
    parser = argparse.ArgumentParser(prog="random_search", description=__doc__)
    add_benchmark(parser)
    arguments = parser.parse_args(argv)
    return run_guarded(lambda: _run(arguments.benchmark))


def _run(path: Path | None) -> None:
    benchmark = find_benchmark(path)
    tests = 100 * benchmark.mean_test(benchmark.all_rows()).numpy()
    for count in COUNTS:
        mean, deviation = best_of(tests, count)
        print(f"{count:>4} queries: {mean:.3f} ± {deviation:.3f}")


def best_of(values: np.ndarray, count: int) -> tuple[float, float]:
    """Mean and standard deviation of the largest of ``count`` values drawn without replacement.

    The k-th smallest of N is the largest drawn in ``C(k - 1, count - 1)`` of ``C(N, count)`` draws.
    """
    descending = np.sort(values)[::-1]
    ranks = np.arange(len(values), 1, -1)
    # From the largest down, each probability by its ratio to the one before.
    ratios = np.maximum(ranks - count, 0) / (ranks - 1)
    chances = count / len(values) * np.cumprod([1.0, *ratios])
    mean = chances @ descending
    return mean, np.sqrt(chances @ (descending - mean) ** 2)


if __name__ == "__main__":
    sys.exit(main())
