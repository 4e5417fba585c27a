"""``nao-search``: search for the best cells with the fewest evaluations."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.benchmarks.locate import benchmark_path, find_benchmark
from gnn_nas.benchmarks.protocols import PROTOCOLS
from gnn_nas.cli.checkpoints import refuse_missing
from gnn_nas.cli.common import (
    add_benchmark,
    available_cores,
    continued,
    open_table,
    refuse_below_one,
    refuse_more_than_cells,
    refuse_seeds,
    run_guarded,
)
from gnn_nas.cli.search_text import best_cell_text, default_folder, figures_text
from gnn_nas.cli.task_search import TASK_QUERIES, add_task, chosen_task, search_with_task
from gnn_nas.experiments.searches.config import SearchConfig, resolve_settings
from gnn_nas.experiments.searches.workers import Workers
from gnn_nas.run_folder import RunFolder
from gnn_nas.search import methods

if TYPE_CHECKING:
    from gnn_nas.benchmarks.nasbench101 import NASBench101
    from gnn_nas.models.checkpoint import Checkpoint

_QUERIES = 300

_DESCRIPTION = """\
Search for the best cells with a pretrained controller, asking for as few accuracies as possible:
those of NAS-Bench-101, or of real trainings for a task of yours. Every cell is asked for at most
once, isomorphic ones count as one.
"""

_EPILOG = """\
methods:
{methods}

protocols; the literature mixes them, and their results must not be compared with each other:
  oracle        the search sees the mean test accuracy of the three trainings (LaNAS, WeakNAS)
  single-trial  it sees the test accuracy of the first training; the cell that looked best is
                reported by its mean, and by the mean of the two trainings the search never saw
  validation    it sees the validation accuracy of the first training, as in the paper; needs the
                official data, see import-nasbench

tasks; without measurements and without --task, it is digits:
  digits         scikit-learn's 8x8 images; a training takes about a second on one core
  FILE.yaml      a folder or an .npz file of your images, see configs/tasks/images.yaml
  module:object  your own: a function (cell, seed) that gives a reward to be maximised, or an
                 object with such a method train, and test where there is held-out data

examples:
  nao-search
  nao-search --task digits --queries 100 --seeds 5
  nao-search --task configs/tasks/images.yaml --engine ray --task-gpus 0.25
  nao-search --queries 150 --seeds 20 --benchmark data/nasbench101.safetensors
  nao-search --protocol single-trial --checkpoint runs/gin_nometric
  nao-search --checkpoint none --set candidates=16
  nao-search --method random --seeds 20
  nao-search --seeds 20 --resume
  nao-search --html

the folder (--out) receives:
  config.yaml         all that decides the search
  history-0.csv       every query of seed 0: reward, what the search was not told, round
  controller-0/       the controller as seed 0 left it: itself a --checkpoint
  summary.json        the figures of every seed, their means and deviations
  search.png          regret, and mean accuracy of the queried cells, against queries
  best.png            the best cell
  search.html         the page to explore, where --html asks for it
and with a task:
  evaluations.sqlite  every training: cell, seed, state, reward, figures, seconds
  pareto.png          parameters or latency against accuracy
  network.safetensors the best cell's network, trained
"""

_FIGURES = {
    "test": "test accuracy of the cell found, %",
    "test_unseen": "the same, trainings never seen, %",
    "regret": "regret to the best cell, points",
    "rank": "rank among all cells",
    "queries_to_best": "queries until it was found",
    "best_test": "best test accuracy queried, %",
    "sd": "standard deviation of those queried",
    "first_rank_2": "queries until rank 2 or 1",
    "first_best": "queries until rank 1",
    "wall_seconds": "seconds of computation",
    "test_at": "after {} queries, %",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    return run_guarded(
        lambda: _run(_parser().parse_args(argv)), continued("nao-search", argv, "--resume")
    )


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:12}  {_about(name)}" for name in methods.METHODS)
    parser = argparse.ArgumentParser(
        prog="nao-search",
        description=_DESCRIPTION,
        epilog=_EPILOG.format(methods=listed),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--checkpoint",
        metavar="DIR",
        help="folder of a pretraining run, or none to search from scratch (default:"
        " runs/gin_multisim, else the weights that come with the package)",
    )
    add("--method", choices=methods.METHODS, default="nao", help="see below (default: nao)")
    add("--protocol", choices=PROTOCOLS, help="see below (default: oracle)")
    add(
        "--queries",
        type=int,
        metavar="N",
        help=f"evaluations a seed (default: {_QUERIES}; with a task {TASK_QUERIES}, or as many as"
        " the search to resume was begun with)",
    )
    add("--seeds", type=int, default=1, metavar="K", help="independent searches (default: 1)")
    add("--seed", type=int, default=0, metavar="N", help="the first seed (default: 0)")
    add_benchmark(parser)
    add_task(parser)
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="the run's folder (default: runs/search-<method>-<protocol or task>[-<checkpoint>])",
    )
    add(
        "--jobs",
        type=int,
        metavar="J",
        help="processes (default: one a core, at most K); with a task, trainings at once",
    )
    add("--resume", action="store_true", help="go on with the interrupted search in the folder")
    add(
        "--html",
        action="store_true",
        help="also write search.html, a page to explore offline: the searches of the best seeds, at"
        " most five, play over a map of random cells by the checkpoint's embeddings (the package's"
        " weights where it is none); with --resume also for a finished search",
    )
    add(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="change a setting of the method; an unknown key is answered by a list of all",
    )
    return parser


def _about(method: str) -> str:
    """The first line of a method's docstring, without the time that importing it takes."""
    spec = importlib.util.find_spec(f"{methods.__name__}.{method.replace('-', '_')}")
    source = Path(spec.origin).read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)).splitlines()[0]


def _run(arguments: argparse.Namespace) -> None:
    refuse_below_one(arguments, ("queries", "seeds", "jobs"))
    refuse_seeds(arguments)
    refuse_missing(arguments.checkpoint)
    if task := chosen_task(arguments):
        search_with_task(task, arguments)
        return
    arguments.protocol = arguments.protocol or "oracle"
    if arguments.queries is None:
        arguments.queries = _QUERIES
    path = arguments.out or default_folder(arguments, arguments.protocol)
    RunFolder(path).refuse_taken(arguments.resume)
    benchmark_path(arguments.benchmark)
    # Made before anything is imported that takes long: they import it at the same time.
    with Workers(min(arguments.jobs or available_cores(), arguments.seeds)) as workers:
        _search_measurements(arguments, path, workers)


def _search_measurements(arguments: argparse.Namespace, path: Path, workers: Workers) -> None:
    settings = resolve_settings(methods.get_method(arguments.method).Settings, arguments.overrides)
    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.benchmarks.protocols import objective_and_report
    from gnn_nas.experiments.searches.run import run_search
    from gnn_nas.models.checkpoint import open_checkpoint

    checkpoint = open_checkpoint(arguments.checkpoint)
    checkpoint.controller(arguments.seed)
    table = open_table()
    refuse_more_than_cells(arguments, table)
    benchmark = find_benchmark(arguments.benchmark, table)
    objective_and_report(benchmark, arguments.protocol)
    config = SearchConfig(
        method=arguments.method,
        protocol=arguments.protocol,
        queries=arguments.queries,
        seeds=arguments.seeds,
        seed=arguments.seed,
        checkpoint=arguments.checkpoint,
        weights=checkpoint.fingerprint,
        benchmark=benchmark.identity,
        settings=settings.model_dump(),
    )
    with RunFolder.claimed(path, config, arguments.resume) as folder:
        if folder.finished:
            what_is_left = "only its page is made" if arguments.html else "nothing to resume"
            print(f"{path} holds a finished search: {what_is_left}", file=sys.stderr)
            if arguments.html:
                _write_page(folder, config, checkpoint, benchmark)
            return
        summary = run_search(folder, config, benchmark, arguments.benchmark, workers)
        print(figures_text(f"protocol {config.protocol}", summary, _FIGURES, "{:.3f}".format))
        print(best_cell_text(summary["best"], table))
        if arguments.html:
            _write_page(folder, config, checkpoint, benchmark)
    print(f"written to {os.fspath(path)}")


def _write_page(
    folder: RunFolder, config: SearchConfig, checkpoint: Checkpoint, benchmark: NASBench101
) -> None:
    from gnn_nas.experiments.searches.page import write_search_page
    from gnn_nas.progress import working

    path = folder.path / "search.html"
    with working("laying out the page's map"):
        write_search_page(path, folder, config, checkpoint, benchmark)
    print(f"page to explore: {os.fspath(path)}")


if __name__ == "__main__":
    sys.exit(main())
