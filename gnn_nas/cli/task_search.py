"""What ``nao-search`` does where cells are trained for a task instead of looked up."""

from __future__ import annotations

import argparse
import functools
import math
import os
import sys
from typing import TYPE_CHECKING

from gnn_nas.benchmarks.locate import has_benchmark
from gnn_nas.cli.common import (
    available_cores,
    open_table,
    option_name,
    refuse_given,
    refuse_more_than_cells,
)
from gnn_nas.cli.search_text import best_cell_text, default_folder, figures_text
from gnn_nas.config_file import read_mapping
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import TaskSearchConfig, resolve_settings
from gnn_nas.parallel import ENGINES, get_engine
from gnn_nas.run_folder import RunFolder
from gnn_nas.search import methods
from gnn_nas.tasks.locate import load_task

if TYPE_CHECKING:
    from gnn_nas.parallel.pool import Engine
    from gnn_nas.tasks.task import Task

TASK_QUERIES = 40
"""Evaluations a seed where it is not said: of NAO the first random cells and three rounds."""

_DEFAULT = "digits"
# Of a training for it on one core.
_DEFAULT_SECONDS = 1

_LABELS = {
    "reward": "reward of the cell found",
    "accuracy": "its validation accuracy",
    "test": "its test accuracy, held out",
    "parameters": "its parameters",
    "latency": "its latency, ms",
    "queries_to_best": "queries until it was found",
    "failures": "failed evaluations",
    "sd": "standard deviation of rewards",
    "seconds": "seconds of training",
    "wall_seconds": "seconds of computation",
    "reward_at": "reward after {} queries",
}


def add_task(parser: argparse.ArgumentParser) -> None:
    """Add the options of tasks and of where their trainings are made."""
    add = parser.add_argument
    add("--task", metavar="TASK", help="train cells for real instead, see below")
    add(
        "--engine",
        choices=ENGINES,
        help="where a task's trainings are made: processes of this machine, or the Ray cluster of"
        " RAY_ADDRESS, else one of this machine (default: local)",
    )
    add("--task-cpus", type=float, metavar="N", help="of a training on Ray (default: 1)")
    add("--task-gpus", type=float, metavar="N", help="of a training on Ray (default: 0)")


def chosen_task(arguments: argparse.Namespace) -> str | None:
    """The task that cells are to be trained for; None where measurements are to be searched.

    Without either it is digits, which is said on stderr. Raises :class:`UserError` where options do
    not go together.
    """
    if arguments.task:
        for name in ("benchmark", "protocol", "html"):
            if getattr(arguments, name):
                raise UserError(f"--{name} is for measurements: it does not go with --task")
        if arguments.engine != "ray":
            refuse_given(arguments, ("task_cpus", "task_gpus"), "--engine ray")
        for name in ("task_cpus", "task_gpus"):
            if (getattr(arguments, name) or 0) < 0:
                raise UserError(f"{option_name(name)} must not be negative")
        return arguments.task
    if arguments.benchmark or arguments.protocol or arguments.html or has_benchmark():
        refuse_given(arguments, ("engine", "task_cpus", "task_gpus"), "--task")
        return None
    arguments.task = _DEFAULT
    task = chosen_task(arguments)
    _complete_queries(arguments, _DEFAULT)
    cells = arguments.queries * arguments.seeds
    minutes = math.ceil(cells * _DEFAULT_SECONDS / 60 / (arguments.jobs or available_cores()))
    print(
        f"no measurements of NAS-Bench-101 are here: cells are trained for the task {_DEFAULT},"
        f" {cells:,} in about {minutes:,} minute{'s' if minutes > 1 else ''}"
        " (see --queries, --task and --benchmark)",
        file=sys.stderr,
    )
    return task


def search_with_task(reference: str, arguments: argparse.Namespace) -> None:
    """Search by trainings, and print what was found. Raises UserError."""
    if arguments.out:
        RunFolder(arguments.out).refuse_taken(arguments.resume)
    task = load_task(reference)
    if task.cost == "latency":
        _refuse_company(reference, arguments)
    _complete_queries(arguments, task.name)
    settings = resolve_settings(methods.get_method(arguments.method).Settings, arguments.overrides)

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.experiments.searches.task_run import run_task_search
    from gnn_nas.models.checkpoint import open_checkpoint

    checkpoint = open_checkpoint(arguments.checkpoint)
    checkpoint.controller(arguments.seed)
    table = open_table()
    refuse_more_than_cells(arguments, table)
    config = TaskSearchConfig(
        method=arguments.method,
        queries=arguments.queries,
        seeds=arguments.seeds,
        seed=arguments.seed,
        checkpoint=arguments.checkpoint,
        weights=checkpoint.fingerprint,
        settings=settings.model_dump(),
        task=task.name,
        fingerprint=task.fingerprint,
        trainings=task.trainings,
        task_settings=task.settings,
    )
    engine = _engine(task, arguments)
    path = arguments.out or default_folder(arguments, task.name)
    with RunFolder.claimed(path, config, arguments.resume) as folder:
        if folder.finished:
            print(f"{path} holds a finished search: nothing to resume", file=sys.stderr)
            return
        summary = run_task_search(folder, config, task, table, engine)
    print(figures_text(f"task {task.name}", summary, _LABELS, _text, width=12))
    print(best_cell_text(summary["best"], table))
    print(f"written to {os.fspath(path)}")


def _refuse_company(reference: str, arguments: argparse.Namespace) -> None:
    """Raise :class:`UserError` where latency is the cost and trainings are made at the same time.

    They share cores, caches and memory, and what one takes then says nothing of its network.
    """
    if arguments.engine == "ray" or (arguments.jobs or available_cores()) > 1:
        raise UserError(
            f"--task {reference}: its cost is latency, which trainings made at the same time would"
            " distort: give --jobs 1, without --engine ray"
        )


def _complete_queries(arguments: argparse.Namespace, name: str) -> None:
    """Where it was not said how many queries to make, take as many as the search was begun with."""
    if arguments.queries is not None:
        return
    arguments.queries = TASK_QUERIES
    config = RunFolder(arguments.out or default_folder(arguments, name)).config
    if arguments.resume and os.path.isfile(config):
        begun = read_mapping(config).get("queries")
        if isinstance(begun, int) and begun > 0:
            arguments.queries = begun


def _engine(task: Task, arguments: argparse.Namespace) -> Engine:
    from gnn_nas.tasks.training_job import run_training

    work = functools.partial(run_training, task)
    if arguments.engine == "ray":
        cpus = 1.0 if arguments.task_cpus is None else arguments.task_cpus
        return get_engine("ray", work, arguments.jobs, cpus, arguments.task_gpus or 0.0)
    return get_engine("local", work, arguments.jobs or available_cores())


def _text(figure: float) -> str:
    return f"{figure:.4f}" if abs(figure) < 10 else f"{figure:,.1f}"
