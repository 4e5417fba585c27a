"""What ``nao-search`` does where cells are trained for a task instead of looked up."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.cli.common import available_cores
from gnn_nas.errors import UserError
from gnn_nas.run_folder import RunFolder
from gnn_nas.search import methods
from gnn_nas.search.config import TaskSearchConfig, resolve_settings

if TYPE_CHECKING:
    from gnn_nas.cells.table import CellTable
    from gnn_nas.tasks.engines.pool import Engine
    from gnn_nas.tasks.task import Task

DEFAULT = "digits"

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
}


def search_with_task(reference: str, arguments: argparse.Namespace) -> None:
    """Search by trainings, and print what was found. Raises UserError."""
    from rich.console import Console

    from gnn_nas.cells.table import load_table
    from gnn_nas.search.checkpoint import open_checkpoint
    from gnn_nas.search.task_run import run_task_search
    from gnn_nas.tasks.locate import load_task

    settings = resolve_settings(methods.get_method(arguments.method).Settings, arguments.overrides)
    task = load_task(reference)
    checkpoint = open_checkpoint(arguments.checkpoint)
    checkpoint.controller(arguments.seed)
    with Console(stderr=True).status("opening the search space (enumerated on the first call)"):
        table = load_table()
    if arguments.queries > len(table):
        raise UserError(f"--queries must be at most {len(table)}, the number of cells")
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
    path = arguments.out or _default_path(task, arguments)
    folder = RunFolder.create(path, config, arguments.resume)
    if folder.finished:
        print(f"{path} holds a finished search: nothing to resume", file=sys.stderr)
        return
    summary = run_task_search(folder, config, task, table, engine)
    print(_table(summary))
    print(_best_cell(summary, table))
    print(f"written to {os.fspath(path)}")


def _engine(task: Task, arguments: argparse.Namespace) -> Engine:
    if arguments.engine == "ray":
        from gnn_nas.tasks.engines.ray import RayEngine

        cpus = 1.0 if arguments.task_cpus is None else arguments.task_cpus
        return RayEngine(task, arguments.jobs, cpus, arguments.task_gpus or 0.0)
    from gnn_nas.tasks.engines.local import LocalEngine

    return LocalEngine(task, arguments.jobs or available_cores())


def _default_path(task: Task, arguments: argparse.Namespace) -> Path:
    name = f"search-{arguments.method}-{task.name}"
    if arguments.checkpoint:
        name += f"-{Path(arguments.checkpoint).resolve().name}"
    return Path("runs") / name


def _table(summary: dict) -> str:
    title = f"{summary['method']}, task {summary['task']}"
    lines = [f"{title:36}{'mean':>12}{'std':>12}{'worst':>12}"]
    spreads = summary["aggregated"]
    named = [(label, spreads[name]) for name, label in _LABELS.items()]
    named += [(f"reward after {n} queries", spread) for n, spread in spreads["reward_at"].items()]
    for label, spread in named:
        if spread["mean"] is None:
            continue
        figures = (spread["mean"], spread["std"], spread["worst"])
        lines.append(f"{label:36}" + "".join(f"{_text(figure):>12}" for figure in figures))
    return "\n".join(lines)


def _text(figure: float | None) -> str:
    if figure is None:
        return "–"
    return f"{figure:.4f}" if abs(figure) < 10 else f"{figure:,.1f}"


def _best_cell(summary: dict, table: CellTable) -> str:
    from gnn_nas.analysis.draw import cell_text

    best = summary["best"]
    if best is None:
        return "every evaluation failed: the history says why"
    row = table.row_of_hash(best["hash"])
    cell = table.cells[row : row + 1]
    return f"\nbest cell: {best['hash']} (seed {best['seed']})\n{cell_text(cell)}\n"
