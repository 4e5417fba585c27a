"""A search that goes on with more queries or seeds than it was begun with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gnn_nas import files
from gnn_nas.errors import UserError, reported
from gnn_nas.experiments.searches.judge import Judge
from gnn_nas.experiments.searches.recorded import check_histories
from gnn_nas.experiments.searches.seed import search_seed
from gnn_nas.experiments.searches.task_function import open_begun, taught
from gnn_nas.parallel import one_thread
from gnn_nas.progress import working
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History
from gnn_nas.search.queries import ForeignHistory

if TYPE_CHECKING:
    from gnn_nas.experiments.searches.config import SearchConfig


def extend_search(folder: RunFolder, judge: Judge, begun: SearchConfig) -> None:
    """Make of a search that was begun with less an unfinished one of the judge's config.

    More seeds are always exact. More queries are where every history is the beginning of the one
    that a search of so many queries makes: a method may have looked at what was left.

    Raises:
        UserError: it would not be exact, or a file cannot be read or written; nothing is lost.
    """
    config = judge.config
    has_more_queries = config.queries > begun.queries
    if has_more_queries:
        check_histories(folder, begun, judge.columns, judge.table, judge.again)
        with working("looking whether the search can be extended"):
            for seed in begun.all_seeds:
                _refuse_inexact(folder, judge, begun, seed)
    with reported(f"cannot write {folder.path}"):
        # The config last: killed before, it is the search that it was, and all can be made again.
        files.remove(folder.summary)
        for seed in begun.all_seeds if has_more_queries else ():
            files.remove(folder.controller(seed).summary)
        files.write_text(folder.config, config.to_yaml())


class _HistoryEnds(Exception):
    """All recorded queries were made again."""


class _Recorded:
    """An objective and report that has nothing beyond what is recorded."""

    columns: tuple[str, ...] = ()

    def __init__(self, allowed: torch.Tensor | None) -> None:
        self.allowed = allowed

    def evaluate(self, rows: torch.Tensor) -> Any:
        raise _HistoryEnds

    report = evaluate


def _refuse_inexact(folder: RunFolder, judge: Judge, begun: SearchConfig, seed: int) -> None:
    config, history = judge.config, History(folder.history(seed), judge.columns)
    if not history.queries:
        return
    recorded = _Recorded(judge.again[0].allowed if judge.again else None)
    checkpoint = open_begun(config, judge.table)
    try:
        # As the processes that search.
        with one_thread():
            _, controller = taught(checkpoint, config, seed)
            search_seed(config, seed, judge.table, controller, recorded, recorded, history)
    except _HistoryEnds:
        return
    except ForeignHistory:
        raise UserError(
            f"{folder.path} cannot be extended to {config.queries} queries: with so many left"
            f" {config.method} would have made others with seed {seed}; --resume with"
            f" {begun.queries}, or give another --out"
        ) from None
