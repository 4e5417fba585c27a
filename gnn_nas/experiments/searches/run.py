"""A search, from its seeds to its summary."""

from __future__ import annotations

from typing import Any

from gnn_nas.experiments.searches.figures import best_outcome
from gnn_nas.experiments.searches.judge import Judge
from gnn_nas.experiments.searches.progress import SearchProgress
from gnn_nas.experiments.searches.recorded import check_histories, ended_seed
from gnn_nas.plots.draw import save_cell
from gnn_nas.run_folder import RunFolder


def run_search(folder: RunFolder, judge: Judge) -> dict[str, Any]:
    """Search with all seeds in ``folder``, going on where an interrupted call stopped.

    Args:
        judge: has the search's config; whom it lets search does not change the result.

    Returns:
        the summary, as written to ``summary.json``

    Raises:
        UserError: the checkpoint or a history does not fit, a file cannot be written, or what
            gives the rewards has failed.
    """
    config, table = judge.config, judge.table
    check_histories(folder, config, judge.columns, table, judge.again)
    with judge.opened(folder) as workers:
        with SearchProgress(folder, config, judge.percent) as progress:
            workers.search(folder, config, judge.source, lambda: judge.show(progress))
        ended = [ended_seed(folder, seed, judge.columns) for seed in config.all_seeds]
        outcomes = [
            {"seed": seed, **judge.outcome(history), "wall_seconds": seconds}
            for seed, (history, seconds) in zip(config.all_seeds, ended, strict=True)
        ]
        best = best_outcome(outcomes)
        kind, name = config.subject
        summary = {
            "method": config.method,
            kind: name,
            "checkpoint": config.checkpoint,
            "queries": config.queries,
            "seeds": config.seeds,
            **judge.conclude(folder, [history for history, _ in ended], outcomes, best),
        }
    if best:
        row = table.row_of_hash(best["hash"])
        save_cell(folder.best_cell, table.cells[row : row + 1], judge.caption(best))
    folder.save_summary(summary)
    return summary
