"""What embeddings alone are worth: ``python -m bench.embeddings [DIR ...]``.

Predicts the mean test accuracy of every cell from those of a few random ones, with nothing but the
cells' embeddings to go by, and prints Kendall's tau over all others: mean and standard deviation
of the seeds, and the p-value of Wilcoxon's signed-rank test of the first folder against each. An
untrained encoder and the cells' exact descriptors, which need none, stand beside the folders.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from bench.measuring import say
from bench.paired import p_value
from gnn_nas.benchmarks.locate import find_benchmark
from gnn_nas.cli.checkpoints import refuse_missing
from gnn_nas.cli.common import add_benchmark, refuse_below_one, run_guarded
from gnn_nas.config import FROM_SCRATCH
from gnn_nas.evaluation.labels import label_taus
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.spaces.descriptors import load_standard_descriptors, num_descriptors
from gnn_nas.spaces.table import CellTable

SIZES = (100, 424)
FIRST_SEED, SEEDS = 1000, 10


@dataclass(frozen=True)
class View:
    """What is seen of all cells.

    Args:
        inputs: ``[cells, D]``; blocks: widths of the columns that have a kernel of their own.
    """

    name: str
    inputs: Tensor
    blocks: tuple[int, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print a table and return the exit status."""
    parser = argparse.ArgumentParser(prog="embeddings", description=__doc__)
    parser.add_argument(
        "folders",
        nargs="*",
        metavar="DIR",
        help="pretraining runs (default: runs/gin_multisim, else the package's weights)",
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="K", help=f"default: {SEEDS}")
    add_benchmark(parser)
    arguments = parser.parse_args(argv)
    return run_guarded(lambda: _run(arguments))


def _run(arguments: argparse.Namespace) -> None:
    refuse_below_one(arguments, ("seeds",))
    folders, seeds = arguments.folders or [None], arguments.seeds
    for folder in folders:
        refuse_missing(folder)
    benchmark = find_benchmark(arguments.benchmark)
    truth = benchmark.mean_test(benchmark.all_rows())
    splits = range(FIRST_SEED, FIRST_SEED + seeds)
    taus: dict[tuple[str, str, int], list[float]] = {}
    for view in _views(folders, benchmark.table):
        say(view.name)
        for size in SIZES:
            found = label_taus(view.inputs, truth, size, splits, view.blocks)
            taus |= {(view.name, name, size): values for name, values in found.items()}
    first = next(iter(taus))[0]
    for (view, name, size), values in taus.items():
        line = f"{view:24} {name:6} {size} cells: {statistics.fmean(values):.3f}"
        line += f" ± {statistics.stdev(values):.3f}" if seeds > 1 else ""
        if view != first:
            line += f"  p = {p_value(taus[first, name, size], values):.2g}"
        print(line)


def _views(folders: list[str | None], table: CellTable) -> Iterator[View]:
    for folder in [*folders, FROM_SCRATCH]:
        checkpoint = open_checkpoint(folder)
        embeddings = checkpoint.controller(FIRST_SEED).encode_rows(table)
        name = "untrained" if folder == FROM_SCRATCH else checkpoint.folder.path.name
        yield View(name, embeddings, (embeddings.shape[1],))
    widths = num_descriptors(table.space)
    yield View("exact descriptors", load_standard_descriptors(table), widths)


if __name__ == "__main__":
    sys.exit(main())
