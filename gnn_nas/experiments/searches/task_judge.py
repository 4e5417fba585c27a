"""Searches by real trainings, judged in the end by data that no search saw."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from gnn_nas import files
from gnn_nas.errors import reported
from gnn_nas.experiments.searches.figures import (
    best_so_far,
    deviation,
    found_after_counts,
    rewards_of,
    rewards_so_far,
    spreads,
    with_nan,
    without_nan,
)
from gnn_nas.experiments.searches.judge import Judge
from gnn_nas.experiments.searches.task_function import open_begun, task_function
from gnn_nas.experiments.searches.workers import Threads
from gnn_nas.plots.search_curves import draw_pareto, draw_reward_curves
from gnn_nas.progress import working
from gnn_nas.tasks.evaluator import Evaluator
from gnn_nas.tasks.store import Store
from gnn_nas.tasks.task import METRICS

if TYPE_CHECKING:
    from gnn_nas.experiments.searches.config import TaskSearchConfig
    from gnn_nas.experiments.searches.progress import SearchProgress
    from gnn_nas.objective import Objective, Report
    from gnn_nas.parallel.pool import Engine
    from gnn_nas.run_folder import RunFolder
    from gnn_nas.search.history import History
    from gnn_nas.spaces.index import CellIndex
    from gnn_nas.tasks.task import Task

EVALUATIONS = "evaluations.sqlite"
"""Every training of a search, in its folder."""
PARETO = "pareto.png"
NETWORK = "network.safetensors"
"""The weights of the best cell's network, with its sizes under ``network`` in the header."""

_OF_BEST = ("seed", "hash", "reward", *METRICS, "test")


class TaskJudge(Judge):
    """Lets cells be trained; the best of every seed once more in the end, and tested.

    Args:
        task: trains the cells of the table.
        engine: makes the trainings; the result does not depend on which one it is.
    """

    columns = METRICS
    percent, width = False, 12
    # In the summary's order; all but the last four of one number are of the best-reward cell.
    labels: ClassVar = {
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
    _better_larger = ("reward", "accuracy", "test", "reward_at")

    def __init__(
        self, config: TaskSearchConfig, task: Task, table: CellIndex, engine: Engine
    ) -> None:
        self.config = config
        self.table = table
        self._task, self._engine = task, engine

    @contextmanager
    def opened(self, folder: RunFolder) -> Iterator[Threads]:
        """Open the store of trainings in the folder, and let them be made."""
        # Now, as processes measure it; the threads take what is there.
        task_function(open_begun(self.config, self.table), self.config)
        with (
            closing(Store(folder.path / EVALUATIONS, self.config.fingerprint)) as self._store,
            # The threads end when the evaluator has.
            Threads(min(self._engine.workers, self.config.seeds)) as threads,
            Evaluator(self._task, self.table, self._store, self._engine) as self._evaluator,
        ):
            yield threads

    def source(self) -> tuple[CellIndex, Objective, Report]:
        """The cells and their trainings, for a search in a thread."""
        return self.table, self._evaluator, self._evaluator

    def show(self, progress: SearchProgress) -> None:
        """Show how far the search is, and how many trainings were made."""
        progress.update()
        progress.count_trainings(self._evaluator.pool.done, self._evaluator.pool.running)

    def outcome(self, history: History) -> dict[str, Any]:
        """The figures of one seed, in the task's own units.

        See `gnn_nas.experiments.searches.judge.Judge`. Held-out data is not among them yet.
        """
        queries, rewards = history.queries, rewards_of(history)
        best = best_so_far(rewards)
        found = best[-1] if best else None
        known = [reward for reward in rewards if reward is not None]
        figures = {
            "reward": None if found is None else rewards[found],
            "test": None,
            "queries_to_best": None if found is None else found + 1,
            "reward_at": found_after_counts(rewards, best, self.config.queries),
            "queries": len(queries),
            "failures": len(queries) - len(known),
            "sd": deviation(known),
            "seconds": math.fsum(query.evaluation.seconds for query in queries),
            "hash": None if found is None else queries[found].module_hash,
        }
        for place, name in enumerate(history.report_columns):
            figures[name] = None if found is None else queries[found].report[place]
        return without_nan(figures)

    def aggregated(self, outcomes: list[dict[str, Any]]) -> dict[str, Any]:
        """Mean, standard deviation and worst of every figure that all seeds have."""
        return spreads(
            outcomes, {name: min if name in self._better_larger else max for name in self.labels}
        )

    def conclude(
        self,
        folder: RunFolder,
        histories: list[History],
        outcomes: list[dict[str, Any]],
        best: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """Test what was found, which nothing else ever is, keep the best network, and draw."""
        if self._task.has_test:
            with working("testing what was found on held-out data"):
                # Of a search that is extended another may have been the best.
                (folder.path / NETWORK).unlink(missing_ok=True)
                for outcome in outcomes:
                    self._add_test(outcome, folder, outcome is best)
        return {
            "best": best and {key: best[key] for key in _OF_BEST},
            "trainings": self._store.states(),
            **self._pictures(folder, histories),
            "aggregated": self.aggregated(outcomes),
            "per_seed": outcomes,
        }

    def caption(self, best: dict[str, Any]) -> str:
        """Its reward and hash."""
        return f"reward {best['reward']:.4f}, {best['hash']}"

    def shown(self, figure: float) -> str:
        """Decimals where they matter: figures may be shares, or numbers of parameters."""
        return f"{figure:.4f}" if abs(figure) < 10 else f"{figure:,.1f}"

    def _add_test(self, outcome: dict[str, Any], folder: RunFolder, keeps_weights: bool) -> None:
        """Judge what a seed has found; a failure is noted in place of the figure."""
        if outcome["hash"] is None:
            return
        tested = self._evaluator.test(self.table.row_of_hash(outcome["hash"]))
        failures = [f"{each.state}: {each.failure}" for each in tested if each.failure is not None]
        if failures:
            outcome["test_failure"] = failures[0]
            return
        outcome["test"] = statistics.fmean(float(each.metrics["test"]) for each in tested)
        # Measured only now, where no training is made beside it, unless it was the cost.
        if outcome["latency"] is None and all("latency" in each.metrics for each in tested):
            outcome["latency"] = statistics.fmean(float(each.metrics["latency"]) for each in tested)
        if keeps_weights and tested[0].weights is not None:
            with reported(f"cannot write {folder.path / NETWORK}"):
                files.write_bytes(folder.path / NETWORK, tested[0].weights)

    def _pictures(self, folder: RunFolder, histories: list[History]) -> dict[str, Any]:
        """Draw the curves and, where costs are known, the Pareto plot; give what it shows."""
        cost, score = self._task.cost, METRICS.index("accuracy")
        queries = [query for history in histories for query in history.queries]
        # Of a cell that several seeds have queried the figures are the same.
        points = {
            query.module_hash: (
                query.report[METRICS.index(cost)],
                query.evaluation.reward if math.isnan(query.report[score]) else query.report[score],
                query.module_hash,
            )
            for query in queries
            if query.evaluation.reward is not None
        }
        front = pareto_front(points.values())
        is_known = any(not math.isnan(query.report[score]) for query in queries)
        with reported(f"cannot write {folder.path}"):
            draw_reward_curves(
                folder.search_curves,
                [rewards_so_far(history) for history in histories],
                [with_nan(rewards_of(history)) for history in histories],
                self.config.title,
            )
            if front:
                draw_pareto(
                    folder.path / PARETO,
                    [point for point in points.values() if not math.isnan(point[0])],
                    front,
                    "parameters" if cost == "parameters" else "latency (ms)",
                    "validation accuracy" if is_known else "reward",
                    self.config.title,
                )
        return {"pareto_cost": cost, "pareto": front}


def pareto_front(points: Iterable[tuple[float, float, str]]) -> list[dict[str, Any]]:
    """Cells that no other beats in both, cheapest first.

    Args:
        points: cost, which is to be small, score, which is to be large, and module hash; a point
            with a NaN is left out.
    """
    front: list[dict[str, Any]] = []
    known = [point for point in points if not math.isnan(point[0] + point[1])]
    for cost, score, module_hash in sorted(known, key=lambda point: (point[0], -point[1])):
        if not front or score > front[-1]["score"]:
            front.append({"hash": module_hash, "cost": cost, "score": score})
    return front
