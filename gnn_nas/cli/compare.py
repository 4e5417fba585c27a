"""``compare``: the paper's Table 1, pretraining losses compared by what the search finds."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.benchmarks.locate import benchmark_path, find_benchmark
from gnn_nas.benchmarks.protocols import PROTOCOLS
from gnn_nas.cli.common import (
    add_benchmark,
    add_out,
    command_parser,
    continued,
    refuse_below_one,
    refuse_given,
    refuse_more_than_cells,
    run_guarded,
)
from gnn_nas.config import CONFIGS
from gnn_nas.errors import UserError, reported
from gnn_nas.experiments.table1.paper import LOSSES, NAMES
from gnn_nas.locking import writing
from gnn_nas.parallel import ENGINES, available_cores, get_engine
from gnn_nas.search import methods

if TYPE_CHECKING:
    from gnn_nas.experiments.table1.plan import Pretraining, Search

_DESCRIPTION = """\
Reproduce the paper's Table 1: pretrain a controller with every metric loss, search NAS-Bench-101
with each, and with random search, and write ours beside the paper's.
"""

_EPILOG = """\
Every loss sees the same number of anchors (--anchors), whatever the batches of its config; and what
a config says of function is left out, as the paper has none: positives are by edits. The work
is done by pretrain and search, in --jobs processes of one thread. A call with a folder that was
begun does what is missing there: an interrupted one is continued by calling it again. A finished
pretraining in the folder (gin_<loss>/) or of --checkpoints is taken as it is, with function too.

How long it takes grows with the number of losses times (anchors + protocols x seeds x queries), and
falls with the number of cores. To learn it for a machine, time one loss:
  %(prog)s --losses multisim --anchors 12000 --seeds 1 --protocols oracle --out runs/compare-timing

With --engine ray the processes run on the machines of the Ray cluster of RAY_ADDRESS, else of one
on this machine. They need this package, and a file system shared with this one: the folder, the
configs and the measurements have the same paths everywhere. The results are those of --engine
local. A process whose machine goes is continued on another; Ctrl-C ends them all.

losses: {losses}

protocols: see gnn-nas search --help. The paper's was validation; the tables say which is theirs.

examples:
  %(prog)s
  %(prog)s --checkpoints runs
  %(prog)s --losses multisim,nometric --seeds 20 --protocols oracle --out runs/compare-20
  RAY_ADDRESS=10.0.0.7:6379 %(prog)s --engine ray --out /shared/compare

the folder (--out) receives:
  table1-oracle.md     the table of a protocol; .csv with all digits, .png as a picture
  gin_multisim/        a pretraining, see gnn-nas pretrain --help: itself a --checkpoint
  search-nao-oracle-gin_multisim/
                       a search, see gnn-nas search --help
  logs/                what the commands said
"""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(parser().parse_args(argv)), continued("compare", argv))


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("compare", _DESCRIPTION, _EPILOG.format(losses=", ".join(LOSSES)))
    add = parser.add_argument
    add("--losses", metavar="NAME,...", default=",".join(LOSSES), help="default: all nine")
    add(
        "--configs",
        type=Path,
        default=CONFIGS,
        metavar="DIR",
        help="folder of gin_<loss>.yaml (default: those that come with the package)",
    )
    add(
        "--checkpoints",
        type=Path,
        metavar="DIR",
        help="take the pretraining runs gin_<loss> that are there, instead of pretraining",
    )
    add(
        "--anchors",
        type=int,
        default=96_000,
        metavar="N",
        help="cells that each pretraining sees with positives (default: 96000)",
    )
    add("--method", choices=methods.METHODS, default="nao", help="of search (default: nao)")
    add(
        "--protocols",
        metavar="NAME,...",
        default="single-trial,oracle",
        help="a table each (default: single-trial,oracle)",
    )
    add("--queries", type=int, default=500, metavar="N", help="evaluations a seed (default: 500)")
    add("--seeds", type=int, default=5, metavar="K", help="searches with each (default: 5)")
    add_benchmark(parser)
    add_out(parser, Path("runs/compare"))
    add(
        "--jobs",
        type=int,
        metavar="J",
        help="processes at once (default: one a core; on Ray as many as it has room for)",
    )
    add(
        "--engine",
        choices=ENGINES,
        default="local",
        help="where the processes run: on this machine, or on a Ray cluster, see below"
        " (default: local)",
    )
    add("--job-cpus", type=float, metavar="N", help="of a process on Ray (default: 1)")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    refuse_below_one(arguments, ("anchors", "queries", "seeds", "jobs"))
    if arguments.engine != "ray":
        refuse_given(arguments, ["job_cpus"], "--engine ray")
    elif arguments.job_cpus is not None and not arguments.job_cpus > 0:
        raise UserError("--job-cpus must be more than 0")
    losses = _listed(arguments.losses, "--losses", list(LOSSES))
    protocols = _listed(arguments.protocols, "--protocols", list(PROTOCOLS))
    if arguments.checkpoints and not arguments.checkpoints.is_dir():
        raise UserError(f"--checkpoints {arguments.checkpoints}: no such folder")

    benchmark_path(arguments.benchmark)
    pretrainings, searches = _plan(arguments, losses, protocols)

    # Imported only now: help and mistakes are answered before torch has loaded.
    from gnn_nas.benchmarks.protocols import objective_and_report
    from gnn_nas.experiments.table1.jobs import run_jobs
    from gnn_nas.parallel.commands import run_command
    from gnn_nas.spaces.table import open_table

    # Before hours of pretraining, and before processes that would all enumerate the space.
    table = open_table()
    refuse_more_than_cells(arguments, table)
    benchmark = find_benchmark(arguments.benchmark, table)
    for protocol in protocols:
        objective_and_report(benchmark, protocol)
    for search in searches.values():
        if search.folder.finished and search.after is None:
            search.check_finished()

    jobs: list[Any] = [*pretrainings, *searches.values()]
    with reported(f"cannot write {arguments.out}"):
        arguments.out.mkdir(parents=True, exist_ok=True)
    with writing(arguments.out):
        workers = arguments.jobs or (available_cores() if arguments.engine == "local" else None)
        engine = get_engine(arguments.engine, run_command, workers, arguments.job_cpus or 1.0)
        failed = run_jobs(jobs, engine, arguments.out / "logs")
        for protocol in protocols:
            # In the paper's order.
            rows = {
                loss: searches[loss, protocol] for loss in NAMES if (loss, protocol) in searches
            }
            _write(arguments.out, protocol, rows)
    print(f"written to {os.fspath(arguments.out)}")
    if failed:
        raise UserError(
            f"{len(failed)} of {len(jobs)} jobs failed ({'; '.join(job.name for job in failed)}):"
            " the same call tries them again"
        )


def _plan(
    arguments: argparse.Namespace, losses: list[str], protocols: list[str]
) -> tuple[list[Pretraining], dict[tuple[str, str], Search]]:
    from gnn_nas.experiments.table1.plan import find_checkpoint, plan_pretraining, plan_searches

    checkpoints = {}
    for loss in losses:
        name = f"gin_{loss}"
        folder, is_there = find_checkpoint(name, arguments.out, arguments.checkpoints)
        config = arguments.configs / f"{name}.yaml"
        made = None if is_there else plan_pretraining(config, folder, arguments.anchors)
        checkpoints[loss] = folder, made
    searches = plan_searches(
        checkpoints,
        arguments.out,
        arguments.method,
        protocols,
        arguments.queries,
        arguments.seeds,
        arguments.benchmark,
    )
    return [made for _, made in checkpoints.values() if made], searches


def _listed(text: str, option: str, allowed: list[str]) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in allowed:
            raise UserError(f"{option}: unknown {name} (allowed: {', '.join(allowed)})")
    if not names:
        raise UserError(f"{option} names none (allowed: {', '.join(allowed)})")
    return list(dict.fromkeys(names))


def _write(out: Path, protocol: str, searches: dict[str, Search]) -> None:
    from gnn_nas.experiments.table1.table import csv_text, draw_table1, markdown, read_row
    from gnn_nas.files import write_text

    rows = [read_row(loss, search) for loss, search in searches.items()]
    search = next(iter(searches.values()))
    text = markdown(rows, search)
    title = (
        f"{search.method}, protocol {protocol}: {search.seeds} seeds of {search.queries} queries,"
        " mean ± standard deviation"
    )
    path = out / f"table1-{protocol}"
    with reported(f"cannot write {path}"):
        write_text(path.with_suffix(".md"), text)
        write_text(path.with_suffix(".csv"), csv_text(rows))
        draw_table1(path.with_suffix(".png"), rows, title)
    print(text)
