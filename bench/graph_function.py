"""What told function is worth on NAS-Bench-Graph: ``python -m bench.graph_function``.

Predicts the mean test accuracies of every data set's cells from those of a few random ones, by the
searches' Gaussian process on exact descriptors alone and with told function as a further block, as
the config ``nasbench_graph`` has it.
Prints Kendall's tau over all other cells: mean of the seeds, in how many of them function is
ahead, and the p-value of Wilcoxon's signed-rank test.
"""

import argparse
import functools
import statistics
import sys
from collections.abc import Sequence

from torch import Tensor

from bench.embeddings import View
from bench.measuring import say
from bench.paired import p_value
from gnn_nas.benchmarks import DATASETS, GRAPH
from gnn_nas.benchmarks.locate import find_any_benchmark
from gnn_nas.cli.common import refuse_below_one, run_guarded
from gnn_nas.config import load_config
from gnn_nas.errors import UserError
from gnn_nas.evaluation.labels import gaussian_process, tau
from gnn_nas.function.told import ToldFunction, open_description
from gnn_nas.spaces.descriptors import num_descriptors
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH
from gnn_nas.spaces.table import load_table

SIZES = (50, 100, 200, 400)
FIRST_SEED, SEEDS = 1000, 10


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table and return the exit status."""
    parser = argparse.ArgumentParser(prog="graph_function", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="K", help=f"default: {SEEDS}")
    parser.add_argument(
        "--seed", type=int, default=FIRST_SEED, metavar="S", help=f"default: {FIRST_SEED}"
    )
    parser.add_argument(
        "--benchmark", default=GRAPH, metavar="PATH", help=f"folder of .bench files or {GRAPH}"
    )
    arguments = parser.parse_args(argv)
    return run_guarded(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> None:
    refuse_below_one(arguments, ("seeds",))
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    table = load_table(NASBENCH_GRAPH)
    blocks = num_descriptors(NASBENCH_GRAPH)
    config = load_config("nasbench_graph").function
    if config is None:
        raise UserError("nasbench_graph.yaml has no section function: nothing is told")
    described = open_description(table, ToldFunction(NASBENCH_GRAPH, config))
    for dataset in DATASETS[NASBENCH_GRAPH.name]:
        say(dataset)
        benchmark = find_any_benchmark(arguments.benchmark, table, dataset)
        truth = benchmark.mean_test(benchmark.all_rows())
        rows = benchmark.all_rows()[truth.isfinite()]
        inputs, truth = described(table, rows).float(), truth[truth.isfinite()]
        exact = View("exact descriptors", inputs[:, : sum(blocks)], blocks)
        function = View("function too", inputs, (*blocks, len(config.statistics)))
        for size in SIZES:
            taus = [_taus(view, truth, size, seeds) for view in (exact, function)]
            ahead = sum(more > less for less, more in zip(*taus, strict=True))
            before, after = map(statistics.fmean, taus)
            print(
                f"{dataset:10} {size:4} cells: {before:.3f} exact descriptors, {after:.3f} with"
                f" function, ahead in {ahead} of {len(seeds)}, p = {p_value(*taus):.2g}"
            )


def _taus(view: View, truth: Tensor, size: int, seeds: range) -> list[float]:
    process = functools.partial(gaussian_process, blocks=view.blocks)
    return [tau(process, view.inputs, truth, size, seed) for seed in seeds]


if __name__ == "__main__":
    sys.exit(main())
