"""What all other measurements tell of some: ``python -m bench.bound [--checkpoint DIR]``.

A network learns the order of nine tenths of all cells from their exact descriptors and what the
controller tells of their function, and then orders the tenth that it was not given, in which the
best cell of all is. Printed are Kendall's tau on that tenth and the place that the best cell has in
it: of all cells about ten times as many come before the best one, by what the others tell of it.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence

import torch
from scipy.stats import kendalltau
from torch import Tensor

from bench.embeddings import FIRST_SEED
from bench.measuring import say
from gnn_nas.benchmarks.locate import find_benchmark
from gnn_nas.cli.checkpoints import add_checkpoint, refuse_missing
from gnn_nas.cli.common import add_benchmark, refuse_below_one, run_guarded
from gnn_nas.evaluation.labels import gaussian_ranks
from gnn_nas.experiments.ensemble import with_function
from gnn_nas.experiments.ranker import DescriptorReader, Plan, Ranker
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.spaces.descriptors import load_standard_descriptors

SEEDS, TENTHS = 3, 10
PLAN = Plan(epochs=8, decay=0.05)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a line for every split and return the exit status."""
    parser = argparse.ArgumentParser(prog="bound", description=__doc__)
    add_checkpoint(parser, "folder of a pretraining run, or none for exact descriptors alone")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="K", help=f"default: {SEEDS}")
    add_benchmark(parser)
    arguments = parser.parse_args(argv)
    return run_guarded(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> None:
    refuse_below_one(arguments, ("seeds",))
    refuse_missing(arguments.checkpoint)
    benchmark = find_benchmark(arguments.benchmark)
    truth = benchmark.mean_test(benchmark.all_rows())
    descriptors = load_standard_descriptors(benchmark.table)
    controller = open_checkpoint(arguments.checkpoint).controller(0)
    inputs = with_function(descriptors, controller, benchmark.table)
    found = []
    for seed in range(FIRST_SEED, FIRST_SEED + arguments.seeds):
        say(f"split {seed}")
        tau, place, count = left_out(inputs, truth, seed)
        found.append((tau, place))
        print(f"split {seed}: tau {tau:.4f}, the best cell in place {place} of {count}")
    taus, places = zip(*found, strict=True)
    print(f"mean: tau {statistics.fmean(taus):.4f}, place {statistics.fmean(places):.0f}")


def left_out(inputs: Tensor, truth: Tensor, seed: int) -> tuple[float, int, int]:
    """Tau on a random tenth with the best cell, that cell's place in it, and how many it has.

    Shapes:
        - inputs: ``[cells, D]``; truth: ``[cells]``
    """
    generator = torch.Generator().manual_seed(seed)
    tenth = torch.randint(TENTHS, truth.shape, generator=generator)
    best = truth.argmax()
    is_left_out = tenth == tenth[best]
    rows, others = (~is_left_out).nonzero()[:, 0], is_left_out.nonzero()[:, 0]
    ranker = Ranker(DescriptorReader(inputs))
    scores = ranker.fit(rows, gaussian_ranks(truth[rows]), PLAN, generator).score(others)
    tau = float(kendalltau(scores.numpy(), truth[others].numpy()).statistic)
    return tau, 1 + int((scores > scores[others == best]).sum()), len(others)


if __name__ == "__main__":
    sys.exit(main())
