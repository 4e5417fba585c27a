"""``search``: search for the best cells with the fewest evaluations."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.benchmarks import DATASETS
from gnn_nas.benchmarks.protocols import PROTOCOLS
from gnn_nas.cli.checkpoints import add_checkpoint, refuse_missing
from gnn_nas.cli.common import (
    add_benchmark,
    add_out,
    add_space,
    command_parser,
    continued,
    refuse_below_one,
    refuse_more_than_cells,
    refuse_seeds,
    run_guarded,
)
from gnn_nas.cli.search_rewards import (
    Measurements,
    Trainings,
    add_task,
    chosen_rewards,
)
from gnn_nas.cli.search_table import TableRewards
from gnn_nas.cli.search_text import best_cell_text, default_folder, figures_text
from gnn_nas.config import FROM_SCRATCH
from gnn_nas.config_file import load
from gnn_nas.experiments.searches.config import SearchConfig, begun_config
from gnn_nas.run_folder import RunFolder
from gnn_nas.search import methods
from gnn_nas.spaces.known import get_space
from gnn_nas.tasks.user_task import TASKS

if TYPE_CHECKING:
    from gnn_nas.experiments.searches.workers import Workers
    from gnn_nas.models.checkpoint import Checkpoint

_DESCRIPTION = """\
Search for the best cells with a pretrained controller, asking for as few accuracies as possible:
those of NAS-Bench-101, NAS-Bench-201 or NAS-Bench-Graph, or of real trainings for a task of yours,
which may be of cells of any space. Every cell is asked for at most once, isomorphic ones count as
one.
"""

_EPILOG = """\
methods:
{methods}

  module:object  your own: a class derived from gnn_nas.search.method.Method

protocols; the literature mixes them, and their results must not be compared with each other:
  oracle        the search sees the mean test accuracy of all trainings (LaNAS, WeakNAS)
  single-trial  it sees the test accuracy of the first training; the cell that looked best is
                reported by its mean, and by the mean of the two trainings the search never saw
  validation    it sees the validation accuracy of the first training, as in the paper; needs the
                official data, see gnn-nas import
of NAS-Bench-201 and NAS-Bench-Graph there are means only: no single-trial, and validation is the
mean

a table of your own, a .csv or .npz file given by --benchmark, has no protocols but columns:
  ops, edges     a cell: "conv3x3-bn-relu maxpool3x3" and "0>1 1>2 2>3", vertex 0 being the input;
                 where the space has one wiring ops alone
  reward         to be maximised, empty where the evaluation failed; without a column of this name
                 the only one of numbers, or --reward COLUMN
  seconds        that an evaluation took, where it is known
  others         of numbers: told of what was found, no search sees them
what it does not have is not proposed

tasks; without measurements and without --task, it is digits:
  digits         scikit-learn's 8x8 images; a training takes about a second on one core
  FILE.yaml      a folder or an .npz file of your images; {images}
                 is one to copy and change
  module:object  your own: a function (cell, seed) that gives a reward to be maximised, or an
                 object with such a method train, and test where there is held-out data

examples:
  %(prog)s
  %(prog)s --task digits --queries 100 --seeds 5
  %(prog)s --task images.yaml --engine ray --task-gpus 0.25
  %(prog)s --task digits --checkpoint runs/nasbench201
  %(prog)s --task digits --space mine.yaml --method evolution
  %(prog)s --queries 150 --seeds 20 --benchmark data/nasbench101.safetensors
  %(prog)s --protocol single-trial --checkpoint runs/gin_nometric
  %(prog)s --benchmark nasbench201.npz --dataset cifar100 --protocol validation
  %(prog)s --benchmark nasbench-graph --dataset pubmed --protocol validation
  %(prog)s --benchmark results.csv --reward accuracy --space nasbench201
  %(prog)s --checkpoint none --set candidates=16
  %(prog)s --method random --seeds 20
  %(prog)s --resume --seeds 20
  %(prog)s --html

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


# Keys of the config that options say; how many queries depends on what a reward costs.
_DEFAULTS = {"method": "nao", "queries": None, "seeds": 1, "seed": 0, "checkpoint": None}


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(
        lambda: _run(parser().parse_args(argv)), continued("search", argv, "--resume")
    )


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    listed = "\n".join(f"  {name:12}  {_about(name)}" for name in methods.METHODS)
    # argparse replaces what % stands before.
    images = str(TASKS / "images.yaml").replace("%", "%%")
    epilog = _EPILOG.format(methods=listed, images=images)
    parser = command_parser("search", _DESCRIPTION, epilog)
    add = parser.add_argument
    add_checkpoint(parser, "folder of a pretraining run, or none to search from scratch")
    add("--method", help="see below (default: nao)")
    add("--protocol", choices=PROTOCOLS, help="see below (default: oracle)")
    firsts = " or ".join(names[0] for names in DATASETS.values())
    add(
        "--dataset",
        choices=[name for names in DATASETS.values() for name in names],
        help=f"of NAS-Bench-201 or NAS-Bench-Graph (default: {firsts})",
    )
    add(
        "--queries",
        type=int,
        metavar="N",
        help=f"evaluations a seed (default: {Measurements.queries}; with a task"
        f" {Trainings.queries})",
    )
    add("--seeds", type=int, metavar="K", help="independent searches (default: 1)")
    add("--seed", type=int, metavar="N", help="the first seed (default: 0)")
    add_benchmark(parser)
    add("--reward", metavar="COLUMN", help="of a table of your own (default: see below)")
    add_space(parser, "of the cells of a task or a table (default: the checkpoint's)")
    add_task(parser)
    out = "runs/search-<method>-<protocol, task or table>[-<dataset>][-<checkpoint>]"
    add_out(parser, out, "the run's folder")
    add(
        "--jobs",
        type=int,
        metavar="J",
        help="processes (default: one a core, at most K); with a task, trainings at once",
    )
    add(
        "--resume",
        action="store_true",
        help="go on with the search in the folder, whose config.yaml says what the call does not;"
        " larger --queries or --seeds extend it, also a finished one",
    )
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


def _run(given: argparse.Namespace) -> None:
    refuse_below_one(given, ("queries", "seeds", "jobs"))
    begun = _begun(given)
    rewards = chosen_rewards(given, begun)
    arguments = _completed(given, begun, rewards)
    if given.out is None:
        given.out = default_folder(arguments, rewards.name)
        begun = _begun(given)
        arguments = _completed(given, begun, rewards)
    # Before anything is imported that takes long: processes import it at the same time.
    with rewards.begin(arguments) as workers:
        _search(arguments, begun, rewards, workers)


def _begun(given: argparse.Namespace) -> SearchConfig | None:
    """What the search to resume was begun with; None without one, or where no folder is said."""
    if given.out is None:
        return None
    folder = RunFolder(given.out)
    folder.refuse_taken(given.resume)
    return begun_config(folder) if given.resume else None


def _completed(
    given: argparse.Namespace,
    begun: SearchConfig | None,
    rewards: Measurements | TableRewards | Trainings,
) -> argparse.Namespace:
    """The options with what was not said: as the search was begun with, else the defaults."""
    arguments = argparse.Namespace(**vars(given))
    for name, default in _DEFAULTS.items():
        if getattr(given, name) is None:
            setattr(arguments, name, getattr(begun, name) if begun else default)
    arguments.queries = arguments.queries or rewards.queries
    refuse_seeds(arguments)
    refuse_missing(arguments.checkpoint, rewards.space)
    return arguments


def _search(
    arguments: argparse.Namespace,
    begun: SearchConfig | None,
    rewards: Measurements | TableRewards | Trainings,
    workers: Workers | None,
) -> None:
    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.experiments.searches.extension import extend_search
    from gnn_nas.experiments.searches.run import run_search
    from gnn_nas.models.checkpoint import open_checkpoint
    from gnn_nas.models.pretrained import has_default
    from gnn_nas.spaces.index import open_index

    given, name = {}, f"settings of {arguments.method}"
    if begun and begun.method == arguments.method:
        given, name = begun.settings, "settings in the config of the search to resume"
    kind = methods.get_method(arguments.method)
    if given:
        before = {key.removeprefix("settings."): value for key, value in begun.absent.items()}
        given = {key: before[key] for key in before if key in kind.Settings.model_fields} | given
    settings = load(kind.Settings, given, arguments.overrides, name)
    if not (arguments.checkpoint or kind.needs_controller or has_default(rewards.space)):
        arguments.checkpoint = FROM_SCRATCH
    checkpoint = open_checkpoint(arguments.checkpoint, rewards.space)
    checkpoint.controller(arguments.seed)
    table = open_index(get_space(rewards.space))
    refuse_more_than_cells(arguments, table)
    judge: Any = rewards.judge(
        table,
        workers,
        weights=checkpoint.fingerprint,
        settings=settings.model_dump(),
        **{name: getattr(arguments, name) for name in _DEFAULTS},
    )
    config = judge.config
    as_begun = config.as_begun(begun) if begun else config
    with RunFolder.claimed(arguments.out, as_begun, arguments.resume) as folder:
        if begun and (config.queries, config.seeds) != (as_begun.queries, as_begun.seeds):
            extend_search(folder, judge, begun)
        is_finished = folder.finished
        if is_finished:
            left = "only its page is made" if arguments.html else "nothing to resume"
            print(f"{arguments.out} holds a finished search: {left}", file=sys.stderr)
        else:
            summary = run_search(folder, judge)
            subject = " ".join(config.subject)
            print(figures_text(subject, summary, judge.labels, judge.shown, judge.width))
            print(best_cell_text(summary["best"], table))
        if arguments.html:
            _write_page(folder, checkpoint, judge)
    if not is_finished:
        print(f"written to {os.fspath(arguments.out)}")


def _write_page(folder: RunFolder, checkpoint: Checkpoint, judge: Any) -> None:
    from gnn_nas.experiments.searches.page import write_search_page
    from gnn_nas.progress import working

    path = folder.path / "search.html"
    with working("laying out the page's map"):
        write_search_page(path, folder, judge, checkpoint)
    print(f"page to explore: {os.fspath(path)}")
