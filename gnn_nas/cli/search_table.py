"""Where ``search`` gets rewards from a table of the user's own."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.benchmarks.columns import read_columns
from gnn_nas.benchmarks.own_table import cell_columns, report_columns, reward_column
from gnn_nas.cli.checkpoints import space_to_search
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import TableSearchConfig
from gnn_nas.experiments.searches.workers import Workers
from gnn_nas.parallel import available_cores
from gnn_nas.spaces.known import get_space

if TYPE_CHECKING:
    from gnn_nas.experiments.searches.table_judge import TableJudge
    from gnn_nas.spaces.index import CellIndex

_QUERIES = 300


class TableRewards:
    """Rewards out of a table of the user's own.

    Attributes:
        space: of its cells, as configs say it; name: what is searched for, for the folder's name.
        queries: evaluations a seed where it is not said.

    Args:
        arguments: of the command; begun: what the search to resume was begun with, if any.
        path: the table.

    Raises:
        UserError: options do not go together, or what the table's columns are does not fit.
    """

    def __init__(
        self, arguments: argparse.Namespace, begun: TableSearchConfig | None, path: Path
    ) -> None:
        for name in ("protocol", "dataset", "html"):
            if getattr(arguments, name):
                raise UserError(f"--{name} is for benchmarks: {path} is a table of your own")
        self.space = space_to_search(arguments, begun)
        self.name = path.stem
        self._columns = read_columns(path)
        self._reward = reward_column(
            self._columns, arguments.reward or (begun.reward if begun else None)
        )
        report_columns(self._columns, self._reward)
        cell_columns(self._columns, get_space(self.space))
        self.queries = min(_QUERIES, len(self._columns))

    def begin(self, arguments: argparse.Namespace) -> AbstractContextManager[Workers]:
        """Start the processes that search. Raises UserError where queries are more than cells."""
        if arguments.queries > len(self._columns):
            raise UserError(
                f"--queries must be at most {len(self._columns)}, the number of cells in"
                f" {self._columns.path}"
            )
        return Workers(min(arguments.jobs or available_cores(), arguments.seeds))

    def judge(self, table: CellIndex, workers: Workers, **common: Any) -> TableJudge:
        """Find the table's cells in their space. Raises UserError."""
        from gnn_nas.benchmarks.own_table import OwnTable
        from gnn_nas.experiments.searches.table_judge import TableJudge

        own = OwnTable(table, self._columns, self._reward)
        config = TableSearchConfig(
            **common, reward=self._reward, space=self.space, benchmark=own.identity
        )
        return TableJudge(config, own, workers)
