"""A search with one seed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.experiments.searches.task_function import open_begun, taught
from gnn_nas.models.controller import Controller
from gnn_nas.objective import Evaluation, Objective, Report
from gnn_nas.references import is_reference, users_code
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History
from gnn_nas.search.queries import Queries
from gnn_nas.search.searcher import Searcher
from gnn_nas.spaces.index import CellIndex, open_index


def run_seed(
    folder: RunFolder,
    config: SearchConfig,
    seed: int,
    table: CellIndex,
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
    checkpoint = open_begun(config, table)
    if checkpoint.fingerprint != config.weights:
        raise UserError(
            f"{checkpoint.folder.weights} has changed since the search began: put the weights back,"
            " or search anew with another --out"
        )
    checkpoint, controller = taught(checkpoint, config, seed)
    history = History(folder.history(seed), report.columns)
    search_seed(config, seed, table, controller, objective, report, history)
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


def search_seed(
    config: SearchConfig,
    seed: int,
    table: CellIndex,
    controller: Controller,
    objective: Objective,
    report: Report,
    history: History,
) -> None:
    """Make the queries that a history does not hold yet; the controller may be trained in place.

    Raises:
        UserError: the history is of another search, or cannot be written, or a method of the user's
            own has failed.
    """
    if not table.is_complete:
        # A registry of this seed alone, so that others do not change what it does.
        own = open_index(table.space)
        elsewhere = _Elsewhere(own, table, objective, report)
        table, objective, report = own, elsewhere, elsewhere
    proposing: Callable[[], AbstractContextManager[None]] = nullcontext
    if is_reference(config.method):
        proposing = partial(users_code, f"--method {config.method} has failed")
    with proposing():
        searcher = Searcher(
            table,
            controller,
            config.method,
            seed,
            config.settings,
            budget=config.queries,
            allowed=objective.allowed,
        )
    Queries(table, objective, report, history).spend(searcher, proposing)


class _Elsewhere:
    """An objective and a report of one registry, asked by the rows of another.

    Args:
        own: whose rows are asked; there: that of the others.
    """

    def __init__(
        self, own: CellIndex, there: CellIndex, objective: Objective, report: Report
    ) -> None:
        self.columns = report.columns
        self.allowed = None
        self._own, self._there = own, there
        self._objective, self._report = objective, report
        if objective.allowed is not None:
            rows = own.rows_of(there.cells[objective.allowed.nonzero().flatten()])
            self.allowed = torch.zeros(len(own), dtype=torch.bool)
            self.allowed[rows] = True

    def evaluate(self, rows: Tensor) -> list[Evaluation]:
        return self._objective.evaluate(self._rows(rows))

    def report(self, rows: Tensor) -> Tensor:
        return self._report.report(self._rows(rows))

    def _rows(self, rows: Tensor) -> Tensor:
        return self._there.rows_of(self._own.cells[rows])
