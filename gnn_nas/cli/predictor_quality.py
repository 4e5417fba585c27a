"""``predictor-quality``: how well the performance predictor orders all cells after seeing a few."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.benchmarks import DATASETS
from gnn_nas.benchmarks.locate import benchmark_path, benchmark_space, find_any_benchmark
from gnn_nas.benchmarks.protocols import rewards_of
from gnn_nas.cli.checkpoints import add_checkpoint, refuse_missing
from gnn_nas.cli.common import (
    add_benchmark,
    add_out,
    command_parser,
    continued,
    refuse_below_one,
    refuse_seeds,
    run_guarded,
)
from gnn_nas.config import FROM_SCRATCH
from gnn_nas.errors import UserError, reported
from gnn_nas.experiments.predictor_quality import (
    ENSEMBLE,
    KINDS,
    PUBLISHED,
    SIZES,
    Measurement,
    QualityConfig,
    QualityFile,
    markdown,
    measure,
    summarised,
)
from gnn_nas.files import write_text
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.known import get_space
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201

if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.benchmarks.protocols import Benchmark
    from gnn_nas.models.checkpoint import Checkpoint

_DESCRIPTION = """\
Measure the rank correlation (Kendall's tau, Spearman's rho) of the performance predictor.

It learns from random cells of NAS-Bench-101 or NAS-Bench-201 and then scores all others, whose mean
test accuracies its scores are compared with. It is an ensemble: a Gaussian process and trees on the
descriptors of a cell and what the controller tells of its untrained network, and copies of the
controller's encoder and predictor that are fine-tuned to order the cells. From a thousand cells on,
networks on the same and copies that begin with random weights stand in the place of trees. It is
measured with the pretrained controller, and with one from scratch, which tells nothing.
"""

_EPILOG = """\
labels, what the predictor learns from; it is always judged by the mean test accuracy:
  test          the mean test accuracy of all trainings
  single-trial  the test accuracy of the first training
  validation    the validation accuracy of the first training; needs the official data, see
                gnn-nas import
of NAS-Bench-201 there are means only: no single-trial, and validation is the mean

examples:
  %(prog)s
  %(prog)s --sizes 100 172 --seeds 3
  %(prog)s --benchmark nasbench201.npz --dataset cifar100
  %(prog)s --checkpoint runs/gin_nometric --out runs/predictor-quality-nometric

the folder (--out) receives:
  config.yaml     what all measurements have in common
  quality.csv     every measurement, written as soon as it is made
  summary.json    means and deviations over the seeds
  quality.md      the same as a table, beside figures of others

A call with a folder that was begun makes the measurements that are missing there: an interrupted
one is continued by calling it again, and more sizes or seeds can be asked for.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(
        lambda: _run(parser().parse_args(argv)), continued("predictor-quality", argv)
    )


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("predictor-quality", _DESCRIPTION, _EPILOG)
    add = parser.add_argument
    add_checkpoint(parser, "folder of a pretraining run, or none to measure only from scratch")
    shown = "; of ".join(f"{space} {' '.join(map(str, sizes))}" for space, sizes in SIZES.items())
    add(
        "--sizes",
        type=int,
        nargs="+",
        metavar="N",
        help=f"numbers of training cells (default: of {shown})",
    )
    add("--seeds", type=int, default=10, metavar="K", help="measurements of each (default: 10)")
    add("--seed", type=int, default=0, metavar="N", help="the first seed (default: 0)")
    add(
        "--label",
        choices=("test", "single-trial", "validation"),
        default="test",
        help="see below (default: test)",
    )
    add("--members", type=int, default=2, metavar="M", help="networks of a kind (default: 2)")
    add_benchmark(parser)
    datasets = DATASETS[NASBENCH201.name]
    add("--dataset", choices=datasets, help=f"of NAS-Bench-201 (default: {datasets[0]})")
    add_out(parser, Path("runs/predictor-quality"))
    return parser


def _run(arguments: argparse.Namespace) -> None:
    refuse_below_one(arguments, ("seeds", "members"))
    refuse_seeds(arguments)
    RunFolder(arguments.out).refuse_taken(resume=True)
    if arguments.checkpoint not in (None, FROM_SCRATCH):
        RunFolder.open(arguments.checkpoint)
    path = benchmark_path(arguments.benchmark)
    space = benchmark_space(path)
    if space not in SIZES:
        raise UserError(f"{path} has measurements of {space}, and this is of {', '.join(SIZES)}")
    if space == NASBENCH101.name and arguments.dataset:
        raise UserError(f"{path} has measurements of {space}, and --dataset is of NAS-Bench-201")
    refuse_missing(arguments.checkpoint, space)

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.models.checkpoint import open_checkpoint
    from gnn_nas.spaces.table import open_table

    checkpoint = open_checkpoint(arguments.checkpoint, space)
    table = open_table(get_space(space))
    arguments.sizes = arguments.sizes or SIZES[space]
    # Two at least to learn from, and two to put in order.
    if wrong := [size for size in arguments.sizes if not 2 <= size <= len(table) - 2]:
        raise UserError(f"--sizes must be from 2 to {len(table) - 2}, not {wrong[0]}")
    benchmark = find_any_benchmark(arguments.benchmark, table, arguments.dataset)
    protocol = "oracle" if arguments.label == "test" else arguments.label
    labels = rewards_of(benchmark, protocol, benchmark.all_rows())
    config = QualityConfig(
        label=arguments.label,
        members=arguments.members,
        checkpoint=arguments.checkpoint,
        weights=checkpoint.fingerprint,
        benchmark=benchmark.identity,
        dataset=arguments.dataset or next(iter(DATASETS.get(space, ())), None),
        ensemble=ENSEMBLE,
    )
    wanted = list(_wanted(arguments, has_weights=checkpoint.folder is not None))
    with RunFolder.claimed(arguments.out, config, resume=True) as folder:
        file = QualityFile(folder.path / "quality.csv")
        _measure(wanted, file, checkpoint, config.members, labels, benchmark)
        results = summarised(file.measurements[key] for key in wanted)
        sizes = list(dict.fromkeys(size for _, size, _ in wanted))
        # Of CIFAR-100 there are none.
        published = {} if config.dataset in DATASETS[NASBENCH201.name][1:] else PUBLISHED[space]
        text = markdown(results, sizes, published)
        with reported(f"cannot write {folder.path}"):
            write_text(folder.path / "quality.md", text)
        folder.save_summary({**config.model_dump(), "results": results})
    print(text, end="")
    print(f"written to {folder.path}")


def _wanted(arguments: argparse.Namespace, has_weights: bool) -> Iterator[tuple[str, int, int]]:
    """Keys of measurements, in an order in which an early end leaves few seeds of everything."""
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        for kind in KINDS if has_weights else KINDS[1:]:
            for size in dict.fromkeys(arguments.sizes):
                yield kind, size, seed


def _measure(
    wanted: list[tuple[str, int, int]],
    file: QualityFile,
    checkpoint: Checkpoint,
    members: int,
    labels: Tensor,
    benchmark: Benchmark,
) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, TimeElapsedColumn

    from gnn_nas.experiments.ensemble import (
        PRETRAINED_LR,
        SCRATCH_LR,
        PredictorEnsemble,
        with_function,
    )
    from gnn_nas.models.controller import Controller
    from gnn_nas.progress import Description, Progress
    from gnn_nas.spaces.descriptors import load_standard_descriptors

    table, truth = benchmark.table, benchmark.mean_test(benchmark.all_rows())
    missing = [key for key in wanted if key not in file.measurements]
    columns = BarColumn(bar_width=20), MofNCompleteColumn(), Description(), TimeElapsedColumn()
    with Progress(*columns) as progress:
        done = len(wanted) - len(missing)
        task = progress.add_task("descriptors of all cells", total=len(wanted), completed=done)
        descriptors = load_standard_descriptors(table)
        known = {"scratch": descriptors}
        if any(kind == "pretrained" for kind, _, _ in missing):
            known["pretrained"] = with_function(descriptors, checkpoint.controller(0), table)
        for kind, size, seed in missing:
            progress.update(task, description=f"{kind}, {size} cells, seed {seed}")
            if kind == "pretrained":
                controller, lr = checkpoint.controller(seed), PRETRAINED_LR
            else:
                controller = Controller(checkpoint.config.model, seed, table.space).eval()
                lr = SCRATCH_LR
            ensemble = PredictorEnsemble(controller, table, known[kind], members, lr)
            started = time.perf_counter()
            kendall, spearman = measure(ensemble, labels, truth, size, seed)
            seconds = time.perf_counter() - started
            file.add(Measurement(kind, size, seed, kendall, spearman, seconds))
            progress.advance(task)
