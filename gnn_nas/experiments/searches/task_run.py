"""A search by real trainings, from its seeds to the test of what it has found."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from gnn_nas import files
from gnn_nas.errors import reported
from gnn_nas.experiments.searches.config import TaskSearchConfig
from gnn_nas.experiments.searches.progress import SearchProgress
from gnn_nas.experiments.searches.recorded import check_histories
from gnn_nas.experiments.searches.run import ended_history
from gnn_nas.experiments.searches.seed_figures import best_outcome, seed_outcomes
from gnn_nas.experiments.searches.task_outcome import (
    pareto_front,
    rewards_so_far,
    task_outcome,
    task_spreads,
)
from gnn_nas.experiments.searches.workers import Threads
from gnn_nas.plots.draw import save_cell
from gnn_nas.plots.task_curves import draw_pareto, draw_reward_curves
from gnn_nas.progress import working
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History
from gnn_nas.tasks.evaluator import Evaluator
from gnn_nas.tasks.store import Store
from gnn_nas.tasks.task import METRICS

if TYPE_CHECKING:
    from gnn_nas.parallel.pool import Engine
    from gnn_nas.spaces.table import CellTable
    from gnn_nas.tasks.task import Task

EVALUATIONS = "evaluations.sqlite"
"""Every training of a search, in its folder."""
PARETO = "pareto.png"
NETWORK = "network.safetensors"
"""The weights of the best cell's network, with its sizes under ``network`` in the header."""

_BEST = ("seed", "hash", "reward", *METRICS, "test")


def run_task_search(
    folder: RunFolder,
    config: TaskSearchConfig,
    task: Task,
    table: CellTable,
    engine: Engine,
) -> dict[str, Any]:
    """Search with all seeds in ``folder``, going on where an interrupted call stopped.

    The cell with the best reward of every seed is trained once more at the end, and judged by the
    data that no search saw; nothing else ever is.

    Args:
        engine: makes the trainings; the result does not depend on which one it is.

    Returns:
        the summary, as written to ``summary.json``

    Raises:
        UserError: a history does not fit, a file cannot be written, or the engine has failed.
    """
    check_histories(folder, config, METRICS, table)
    store = Store(folder.path / EVALUATIONS, config.fingerprint)
    try:
        # The threads end when the evaluator has.
        threads = Threads(min(engine.workers, config.seeds))
        with threads, Evaluator(task, table, store, engine) as evaluator:
            with SearchProgress(folder, config, percent=False) as progress:

                def watch() -> None:
                    progress.update()
                    progress.count_trainings(evaluator.pool.done, evaluator.pool.running)

                threads.search(folder, config, lambda: (table, evaluator, evaluator), watch)
            histories = [ended_history(folder, seed, METRICS) for seed in config.all_seeds]
            outcomes = seed_outcomes(
                folder, config, histories, lambda history: task_outcome(history, config.queries)
            )
            best = best_outcome(outcomes)
            if task.has_test:
                with working("testing what was found on held-out data"):
                    for outcome in outcomes:
                        _add_test(outcome, evaluator, table, folder, outcome is best)
        summary = {
            "method": config.method,
            "task": config.task,
            "checkpoint": config.checkpoint,
            "queries": config.queries,
            "seeds": config.seeds,
            "best": best and {key: best[key] for key in _BEST},
            "trainings": store.states(),
            **_pictures(folder, config, histories, task.cost),
            "aggregated": task_spreads(outcomes),
            "per_seed": outcomes,
        }
    finally:
        store.close()
    if best:
        row = table.row_of_hash(best["hash"])
        title = f"reward {best['reward']:.4f}, {best['hash']}"
        save_cell(folder.best_cell, table.cells[row : row + 1], title)
    folder.save_summary(summary)
    return summary


def _add_test(
    outcome: dict[str, Any],
    evaluator: Evaluator,
    table: CellTable,
    folder: RunFolder,
    keeps_weights: bool,
) -> None:
    """Judge what a seed has found by held-out data; a failure is noted in place of the figure."""
    if outcome["hash"] is None:
        return
    tested = evaluator.test(table.row_of_hash(outcome["hash"]))
    failures = [f"{each.state}: {each.failure}" for each in tested if each.failure is not None]
    if failures:
        outcome["test_failure"] = failures[0]
        return
    outcome["test"] = statistics.fmean(each.metrics["test"] for each in tested)
    # Measured only now, where no training is made beside it, unless it was the cost.
    if outcome["latency"] is None and all("latency" in each.metrics for each in tested):
        outcome["latency"] = statistics.fmean(each.metrics["latency"] for each in tested)
    if keeps_weights and tested[0].weights is not None:
        with reported(f"cannot write {folder.path / NETWORK}"):
            files.write_bytes(folder.path / NETWORK, tested[0].weights)


def _pictures(
    folder: RunFolder, config: TaskSearchConfig, histories: list[History], cost: str
) -> dict[str, Any]:
    """Draw the curves and, where costs are known, the Pareto plot; give what it shows."""
    title = f"{config.method}, task {config.task}, seeds: {config.seeds}"
    queried = [
        [math.nan if q.evaluation.reward is None else q.evaluation.reward for q in history.queries]
        for history in histories
    ]
    best = [rewards_so_far(history) for history in histories]
    score = METRICS.index("accuracy")
    # Of a cell that several seeds have queried the figures are the same.
    points = {
        query.module_hash: (
            query.report[METRICS.index(cost)],
            query.evaluation.reward if math.isnan(query.report[score]) else query.report[score],
            query.module_hash,
        )
        for history in histories
        for query in history.queries
        if query.evaluation.reward is not None
    }
    front = pareto_front(points.values())
    label = "parameters" if cost == "parameters" else "latency (ms)"
    known = any(not math.isnan(q.report[score]) for each in histories for q in each.queries)
    with reported(f"cannot write {folder.path}"):
        draw_reward_curves(folder.search_curves, best, queried, title)
        if front:
            shown = [point for point in points.values() if not math.isnan(point[0])]
            draw_pareto(
                folder.path / PARETO,
                shown,
                front,
                label,
                "validation accuracy" if known else "reward",
                title,
            )
    return {"pareto_cost": cost, "pareto": front}
