"""A search with one seed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.models.controller import Controller
from gnn_nas.objective import Objective, Report
from gnn_nas.references import is_reference, users_code
from gnn_nas.run_folder import RunFolder
from gnn_nas.search.history import History
from gnn_nas.search.queries import Queries
from gnn_nas.search.searcher import Searcher
from gnn_nas.spaces.table import CellTable


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
    checkpoint = open_checkpoint(config.checkpoint, table.space.name)
    if checkpoint.fingerprint != config.weights:
        raise UserError(
            f"{checkpoint.folder.weights} has changed since the search began: put the weights back,"
            " or search anew with another --out"
        )
    controller = checkpoint.controller(seed)
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
    table: CellTable,
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
