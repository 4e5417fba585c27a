"""A search, from its seeds to its summary."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from gnn_nas.benchmarks.protocols import BenchmarkReport, objective_and_report
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.experiments.searches.outcome import (
    queried_tests,
    reported_tests,
    seed_outcome,
    summarised,
)
from gnn_nas.experiments.searches.progress import SearchProgress
from gnn_nas.experiments.searches.recorded import check_histories
from gnn_nas.experiments.searches.seed_figures import best_outcome, seed_outcomes, seed_summary
from gnn_nas.experiments.searches.workers import BenchmarkSource, Workers
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.objective import Objective, Report
from gnn_nas.plots.draw import save_cell
from gnn_nas.plots.search_curves import draw_search_curves
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History
from gnn_nas.search.queries import Queries
from gnn_nas.search.searcher import Searcher
from gnn_nas.spaces.table import CellTable

if TYPE_CHECKING:
    from gnn_nas.benchmarks.nasbench101 import NASBench101


def run_search(
    folder: RunFolder,
    config: SearchConfig,
    benchmark: NASBench101,
    benchmark_path: str | os.PathLike[str] | None,
    workers: Workers,
) -> dict[str, Any]:
    """Search with all seeds in ``folder``, going on where an interrupted call stopped.

    Args:
        benchmark_path: where processes are to open the benchmark: see `find_benchmark`.
        workers: search; the result does not depend on their number.

    Returns:
        the summary, as written to ``summary.json``

    Raises:
        UserError: the checkpoint or a history does not fit, or a file cannot be written.
    """
    check_histories(
        folder,
        config,
        BenchmarkReport.columns,
        benchmark.table,
        objective_and_report(benchmark, config.protocol),
    )
    source = BenchmarkSource(benchmark_path, config.protocol)
    with SearchProgress(folder, config) as progress:
        workers.search(folder, config, source, progress.update)
    histories = [ended_history(folder, seed, BenchmarkReport.columns) for seed in config.all_seeds]
    outcomes = seed_outcomes(
        folder,
        config,
        histories,
        lambda history: seed_outcome(history, config.queries, benchmark.table, benchmark),
    )
    best = best_outcome(outcomes)
    summary = {
        "method": config.method,
        "protocol": config.protocol,
        "checkpoint": config.checkpoint,
        "queries": config.queries,
        "seeds": config.seeds,
        **summarised(outcomes, config.queries),
        "best": best and {key: best[key] for key in ("seed", "hash", "reward", "test", "rank")},
    }
    draw_search_curves(
        folder.search_curves,
        [reported_tests(history) for history in histories],
        [queried_tests(history) for history in histories],
        100 * benchmark.best_test,
        title=f"{config.method}, protocol {config.protocol}, seeds: {config.seeds}",
    )
    if best:
        row = benchmark.table.row_of_hash(best["hash"])
        title = f"{best['test']:.2f} %, rank {best['rank']}, {best['hash']}"
        save_cell(folder.best_cell, benchmark.table.cells[row : row + 1], title)
    folder.save_summary(summary)
    return summary


def run_seed(
    folder: RunFolder,
    config: SearchConfig,
    seed: int,
    table: CellTable,
    objective: Objective,
    report: Report,
) -> History:
    """Search with one seed, from the beginning; what its history holds is not evaluated again.

    The controller is saved as the search has left it, with a summary that marks the seed as done.

    Raises:
        UserError: the checkpoint does not fit, the history is of another search, or a file cannot
            be written.
    """
    started = time.perf_counter()
    checkpoint = open_checkpoint(config.checkpoint)
    if checkpoint.fingerprint != config.weights:
        raise UserError(
            f"{checkpoint.folder.weights} has changed since the search began: put the weights back,"
            " or search anew with another --out"
        )
    controller = checkpoint.controller(seed)
    history = History(folder.history(seed), report.columns)
    searcher = Searcher(
        table, controller, config.method, seed, config.settings, budget=config.queries
    )
    Queries(table, objective, report, history).spend(searcher)
    own = folder.controller(seed)
    checkpoint.save(controller, own, seed)
    own.save_summary(
        {
            "method": config.method,
            "protocol": config.protocol,
            "seed": seed,
            "queries": len(history.queries),
            "wall_seconds": time.perf_counter() - started,
        }
    )
    return history


def ended_history(folder: RunFolder, seed: int, report_columns: tuple[str, ...]) -> History:
    """The history of a seed that is done. Raises UserError where it or its summary does not fit."""
    history = History(folder.history(seed), report_columns)
    made, there = seed_summary(folder, seed)["queries"], len(history.queries)
    if made != there:
        raise UserError(
            f"{history.path} holds {there} queries, but {made} were made: delete it and"
            f" {folder.controller(seed).path}, and --resume to search with this seed again"
        )
    return history
