"""A table of results of one's own: cells of any space as text, and a reward for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from gnn_nas.benchmarks.columns import Columns
from gnn_nas.benchmarks.protocols import KnownRewards
from gnn_nas.errors import UserError

# torch takes a second to import, and what is wrong with a table's head is to be said before.
if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.spaces.index import CellIndex
    from gnn_nas.spaces.space import CellSpace

_CELL = ("cell", "ops", "edges")
REWARD, SECONDS = "reward", "seconds"
# Columns of a search's history, so that none of the table's can be called like them there.
_TAKEN = ("query", "hash", REWARD, "round", "failure")


class OwnTable:
    """Rewards and other figures by row, of those cells of a space that a table has.

    Args:
        table: all cells of the space; columns: what was read.
        reward: the column of rewards, by default `reward_column`.

    Attributes:
        allowed: which rows the table has, bool ``[cells]``.
        reward: name of the column of rewards.
        columns: names of the other columns of numbers, which searches do not see.

    Raises:
        UserError: a cell is none of the space or is there twice, or rewards are no numbers.
    """

    def __init__(self, table: CellIndex, columns: Columns, reward: str | None = None) -> None:
        import torch

        self.table = table
        self.source = columns.path
        self.reward = reward_column(columns, reward)
        self.columns = report_columns(columns, self.reward)
        rows = _rows(table, columns)
        self.allowed = torch.zeros(len(table), dtype=torch.bool)
        self.allowed[rows] = True

        def figures(name: str) -> Tensor:
            values = torch.full((len(table),), torch.nan, dtype=torch.float64)
            values[rows] = torch.from_numpy(columns.numbers(name))
            return values

        self._rewards = figures(self.reward)
        nothing = torch.full_like(self._rewards, torch.nan)
        self._seconds = figures(SECONDS) if SECONDS in columns.values else nothing
        reports = [figures(name) for name in self.columns]
        self._reports = torch.stack(reports, 1) if reports else nothing[:, None][:, :0]

    def __repr__(self) -> str:
        return f"OwnTable({str(self.source)!r}, {self.reward})"

    def __len__(self) -> int:
        """How many cells the table has."""
        return int(self.allowed.sum())

    def rewards(self, rows: Tensor) -> Tensor:
        """Rewards, float64 ``[N]``, NaN where there is none."""
        return self._rewards[rows]

    def reports(self, rows: Tensor) -> Tensor:
        """The other columns, float64 ``[N, len(columns)]``, NaN where there is nothing."""
        return self._reports[rows]

    def objective_and_report(self) -> tuple[KnownRewards, OwnReport]:
        """What a search may see, and apart from it what it must not."""
        objective = KnownRewards(self.table, self._rewards, self._seconds, self.allowed)
        return objective, OwnReport(self)

    def rank(self, rows: Tensor) -> Tensor:
        """Ranks by reward, int64 ``[N]``: 1 + how many cells of the table are strictly better."""
        import torch

        known = self._rewards[~self._rewards.isnan()].sort().values
        return 1 + len(known) - torch.searchsorted(known, self._rewards[rows], right=True)

    @cached_property
    def best(self) -> float:
        """The highest reward of the table."""
        return self._rewards.nan_to_num(nan=-float("inf")).max().item()

    @cached_property
    def identity(self) -> str:
        """A line that tells these results from others, for the configs of what uses them."""
        from gnn_nas.tensor_file import checksum

        parts = {"rewards": self._rewards, "reports": self._reports, "seconds": self._seconds}
        return (
            f"{self.table.space.name}, {len(self)} cells, {self.reward}, best {self.best!r},"
            f" checksum {checksum({**parts, 'allowed': self.allowed})}"
        )


class OwnReport:
    """Tells a table's other columns of cells; a `gnn_nas.objective.Report`."""

    def __init__(self, benchmark: OwnTable) -> None:
        self.columns = benchmark.columns
        self._benchmark = benchmark

    def report(self, rows: Tensor) -> Tensor:
        """The other columns of cells: see `gnn_nas.objective.Report`."""
        return self._benchmark.reports(rows)


def reward_column(columns: Columns, wanted: str | None = None) -> str:
    """The column that ``wanted`` names, else ``reward``, else the only one of numbers.

    Raises:
        UserError: there is none or several, or it has no numbers.
    """
    numbers = [name for name in columns.values if columns.has_numbers(name)]
    numbers = [name for name in numbers if name not in (*_CELL, SECONDS)]
    name = wanted or (REWARD if REWARD in columns.values else None)
    if name is None:
        if len(numbers) != 1:
            found = f"{', '.join(numbers)} have numbers" if numbers else "no column has numbers"
            raise UserError(
                f"{columns.path}: which column are the rewards? {found}: call one reward, or name"
                " it by --reward, which searches have"
            )
        return numbers[0]
    if name not in columns.values or name in _CELL:
        raise UserError(
            f"{columns.path} has no column {name} of rewards; of numbers are"
            f" {', '.join(numbers) or 'none'}"
        )
    columns.numbers(name)
    if not columns.has_numbers(name):
        raise UserError(f"{columns.path}: column {name} has no reward at all")
    return name


def report_columns(columns: Columns, reward: str) -> tuple[str, ...]:
    """The other columns of numbers.

    Raises:
        UserError: one is called as a column of a search's history is.
    """
    names = [name for name in columns.values if name not in (*_CELL, SECONDS, reward)]
    names = [name for name in names if columns.has_numbers(name)]
    if taken := [name for name in names if name in _TAKEN]:
        raise UserError(
            f"{columns.path}: a search's history has a column {taken[0]} of its own: rename it"
        )
    return tuple(names)


def cell_columns(columns: Columns, space: CellSpace) -> tuple[str, str | None]:
    """The columns of ops and of edges, None where all cells of the space have the same.

    Raises:
        UserError: there are no such columns, or more than needed.
    """
    there = [name for name in ("cell", "ops") if name in columns.values]
    if len(there) != 1:
        how = "both columns, cell and ops" if there else "no column ops"
        raise UserError(
            f"{columns.path} has {how}: the names of a cell's ops, with spaces between, must stand"
            " in one of them"
        )
    has_edges = "edges" in columns.values
    if has_edges == bool(space.wiring):
        how = (
            "a column edges, but all cells of {} have the same: leave it out"
            if has_edges
            else "no column edges, in which cells of {} differ: write them as 0>1 1>2"
        )
        how = how.format(space.name)
        raise UserError(f"{columns.path} has {how}, or say by --space of which space it is")
    return there[0], "edges" if has_edges else None


def _rows(table: CellIndex, columns: Columns) -> Tensor:
    """Rows of all cells of a table. Raises UserError."""
    from gnn_nas.spaces.text import cell_of, packed, read_ops

    space = table.space
    named, edged = cell_columns(columns, space)
    ops = columns.texts(named)
    edges: Sequence[str] = columns.texts(edged) if edged else [""] * len(ops)
    cells = []
    for number, (its_ops, its_edges) in enumerate(zip(ops, edges, strict=True)):
        read = named
        try:
            numbers = read_ops(its_ops, space)
            read = edged or named
            cells.append(cell_of(numbers, its_edges, space))
        except ValueError as error:
            raise columns.wrong(number, read, error) from None
    rows = table.rows_of(packed(cells, space))
    first: dict[int, int] = {}
    for number, row in enumerate(rows.tolist()):
        if row < 0:
            raise columns.wrong(number, named, f"no cell of {space.name}")
        if row in first:
            what = f"the cell of {columns.places[first[row]]} again, or one isomorphic to it"
            raise columns.wrong(number, named, what)
        first[row] = number
    return rows
