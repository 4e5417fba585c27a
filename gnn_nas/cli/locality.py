"""``locality``: the paper's Fig. 1, whether few edits mean like performance and like embeddings."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from gnn_nas.benchmarks.locate import benchmark_path, find_any_benchmark
from gnn_nas.cli.checkpoints import add_checkpoints, open_checkpoints
from gnn_nas.cli.common import (
    MAX_SEED,
    add_benchmark,
    add_out,
    add_space,
    command_parser,
    refuse_outside,
    repeated,
    run_guarded,
)
from gnn_nas.cli.space_choice import add_dataset, measured_path, pictured_space
from gnn_nas.config import DEFAULT_SPACE, RunConfig, SpaceConfig
from gnn_nas.errors import UserError, reported
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.known import get_space

if TYPE_CHECKING:
    from gnn_nas.benchmarks.protocols import Benchmark
    from gnn_nas.models.checkpoint import Checkpoint
    from gnn_nas.spaces.index import CellIndex

PARTS = ("a", "b", "c")
# More would take many minutes, and gigabytes.
_MOST_PAIRS, _MOST_PER_DISTANCE = 1_000_000, 100_000

_DESCRIPTION = """\
Draw the paper's Fig. 1: how many edits lie between random cells, and whether cells few edits apart
perform alike and are embedded alike. Edit distances are exact.
"""

_EPILOG = """\
parts:
  a   edit distances of random pairs, beside the paper's numbers
  b   difference of mean test accuracy by edit distance; needs measurements of the space
  c   cosine similarity of embeddings by edit distance, a panel for every checkpoint

For b and c pairs are drawn at each distance that cells of the space have, in NAS-Bench-101 from 1
to 12: up to 3 by edits of random cells, from 4 on out of random pairs. Spearman's correlations are
given over these, even pairs, and over random ones, of which most are 6 to 11 edits apart.

examples:
  %(prog)s
  %(prog)s --parts a c
  %(prog)s --benchmark nasbench201.npz --dataset cifar100
  %(prog)s --checkpoint runs/gin_multisim runs/gin_nometric none --out runs/locality-both

the folder (--out) receives:
  config.yaml          all that decides the figures
  a-distances.png      and .csv: pairs at every distance
  b-differences.png    and .csv: all pairs with their accuracies
  c-similarities.png   and .csv: all pairs with their similarities
  summary.json         ratios, correlations, means and spreads
"""


class LocalityConfig(RunConfig):
    """Everything that decides the figures."""

    parts: list[str] = Field(description="of the figure")
    pairs: int = Field(description="random pairs")
    per_distance: int = Field(description="pairs at each distance, for b and c")
    seed: int = Field(description="of the pairs")
    checkpoints: list[str] = Field(description="what c compares, by their names there")
    weights: list[str | None] = Field(description="SHA-256 of their weights files")
    benchmark: str | None = Field(description="which measurements b is made of")
    space: str | SpaceConfig = Field(
        default=DEFAULT_SPACE, description="of the cells: a name, or a description of one's own"
    )


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(parser().parse_args(argv)), repeated("locality", argv))


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("locality", _DESCRIPTION, _EPILOG)
    add = parser.add_argument
    add_checkpoints(parser)
    add("--parts", nargs="+", choices=PARTS, default=PARTS, help="see below (default: all)")
    add_space(parser, "of the cells, where no checkpoint says it")
    add_benchmark(parser)
    add_dataset(parser)
    add("--pairs", type=int, default=10_000, metavar="N", help="random pairs (default: 10000)")
    add(
        "--per-distance",
        type=int,
        default=1000,
        metavar="N",
        help="pairs at each distance, for b and c (default: 1000)",
    )
    add("--seed", type=int, default=0, metavar="N", help="of the pairs (default: 0)")
    add_out(parser, Path("runs/locality"))
    return parser


def _run(arguments: argparse.Namespace) -> None:
    refuse_outside(arguments, "pairs", 1, _MOST_PAIRS)
    refuse_outside(arguments, "per_distance", 1, _MOST_PER_DISTANCE)
    refuse_outside(arguments, "seed", 0, MAX_SEED)
    parts = [part for part in PARTS if part in arguments.parts]

    RunFolder(arguments.out).refuse_taken(resume=True)
    if "b" in parts and arguments.benchmark:
        with _only_for_b():
            benchmark_path(arguments.benchmark)
    described, path = pictured_space(arguments), None
    if "b" in parts:
        with _only_for_b():
            path = measured_path(arguments, described, needed=True)
    checkpoints = open_checkpoints(arguments.checkpoint, described) if "c" in parts else {}

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.experiments.locality import locality_text
    from gnn_nas.progress import working
    from gnn_nas.spaces.index import open_index

    table, benchmark = open_index(get_space(described)), None
    if table.is_complete and len(table) < 2:
        raise UserError(f"space {table.space.name} has one cell: there are no pairs")
    if path:
        with _only_for_b():
            benchmark = find_any_benchmark(path, table, arguments.dataset)
    config = LocalityConfig(
        parts=parts,
        pairs=arguments.pairs,
        per_distance=arguments.per_distance,
        seed=arguments.seed,
        checkpoints=list(checkpoints),
        weights=[checkpoint.fingerprint for checkpoint in checkpoints.values()],
        benchmark=benchmark.identity if benchmark else None,
        space=described,
    )
    with RunFolder.claimed(arguments.out, config, resume=True) as folder:
        with reported(f"cannot write {folder.path}"), working("measuring and drawing"):
            figures = _report(folder.path, config, table, benchmark, checkpoints)
        folder.save_summary({**config.model_dump(), **figures})
    print(locality_text(figures))
    print(f"written to {folder.path}")


@contextmanager
def _only_for_b() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f"{error} (only part b needs them: --parts a c does without)") from error


def _report(
    folder: Path,
    config: LocalityConfig,
    table: CellIndex,
    benchmark: Benchmark | None,
    checkpoints: dict[str, Checkpoint],
) -> dict[str, Any]:
    import torch

    from gnn_nas.evaluation.cell_pairs import pairs_by_distance, random_pairs
    from gnn_nas.experiments import locality as locality_report

    generator = torch.Generator().manual_seed(config.seed)
    random = random_pairs(table, config.pairs, generator)
    figures = {}
    if "a" in config.parts:
        figures["a"] = locality_report.report_distances(folder, random, table.space)
    if config.parts == ["a"]:
        return figures
    even = pairs_by_distance(table, config.per_distance, generator)
    if "b" in config.parts:
        figures["b"] = locality_report.report_differences(folder, even, random, benchmark)
    if "c" in config.parts:
        controllers = {
            name: checkpoint.controller(config.seed) for name, checkpoint in checkpoints.items()
        }
        figures["c"] = locality_report.report_similarities(folder, even, random, table, controllers)
    return figures
