"""What a folder says that a search has done, checked before it is believed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gnn_nas.benchmarks.rows import CellRows
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History, Query

if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.objective import Evaluation, Objective, Report
    from gnn_nas.spaces.index import CellIndex

# Measurements are kept in several formats, whose roundings differ; their steps are 1e-4.
_TOLERANCE = 1e-6


def check_histories(
    folder: RunFolder,
    config: SearchConfig,
    report_columns: tuple[str, ...],
    table: CellIndex,
    again: tuple[Objective, Report] | None = None,
) -> None:
    """Check the histories that a search would go on from, or be judged by.

    Args:
        again: objective and report, where to ask them again costs nothing.

    Raises:
        UserError: a history cannot be read, has more queries than the search makes, cells that do
            not exist, or figures that are not those of its cells.
    """
    rows_of = CellRows(table).of
    for seed in config.all_seeds:
        history = History(folder.history(seed), report_columns)
        if len(history.queries) > config.queries:
            raise _refused(folder, seed, f"{len(history.queries)} queries of {config.queries}")
        if not history.queries:
            continue
        try:
            rows = rows_of([query.module_hash for query in history.queries])
        except KeyError as error:
            raise _refused(folder, seed, error.args[0]) from None
        if again and (reason := _contradiction(history.queries, rows, *again)):
            raise _refused(folder, seed, reason)


def ended_seed(
    folder: RunFolder, seed: int, report_columns: tuple[str, ...]
) -> tuple[History, float]:
    """The history of a seed that is done, and the seconds it took.

    Raises:
        UserError: the history or the seed's summary cannot be read, or they do not fit.
    """
    history = History(folder.history(seed), report_columns)
    controller, there = folder.controller(seed), len(history.queries)
    summary = controller.load_summary()
    made, seconds = summary.get("queries"), summary.get("wall_seconds")
    if type(made) is not int or type(seconds) not in (int, float) or not 0 <= seconds < math.inf:
        raise UserError(
            f"{controller.summary} is no summary of a search's seed: delete {controller.path}, and"
            " --resume to make it anew"
        )
    if made != there:
        raise UserError(
            f"{history.path} holds {there} queries, but {made} were made: delete it and"
            f" {controller.path}, and --resume to search with this seed again"
        )
    return history, seconds


def _contradiction(
    queries: list[Query], rows: Tensor, objective: Objective, report: Report
) -> str | None:
    """What a query says otherwise than what gave its figures, the first of all."""
    names = ("reward", *report.columns, "seconds")
    evaluations, reports = objective.evaluate(rows), report.report(rows).tolist()
    for query, evaluation, figures in zip(queries, evaluations, reports, strict=True):
        recorded = (_reward(query.evaluation), *query.report, query.evaluation.seconds)
        asked = (_reward(evaluation), *figures, evaluation.seconds)
        for name, there, here in zip(names, recorded, asked, strict=True):
            unknown = math.isnan(there) + math.isnan(here)
            # Not all formats of the same measurements know seconds.
            if unknown == 2 or (unknown and name == "seconds"):
                continue
            if not math.isclose(there, here, rel_tol=_TOLERANCE):
                return f"line {query.number + 1}: {name} is {there}, but its cell's is {here}"
    return None


def _reward(evaluation: Evaluation) -> float:
    return math.nan if evaluation.reward is None else evaluation.reward


def _refused(folder: RunFolder, seed: int, reason: str) -> UserError:
    return UserError(
        f"{folder.history(seed)} is no history of this search ({reason}): delete it, and"
        f" {folder.controller(seed).path} where it is there, and --resume to search with this seed"
        " again"
    )
