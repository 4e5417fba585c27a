"""The durable history of a search: a CSV file with one line a query."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from gnn_nas.errors import UserError, reported
from gnn_nas.files import read_regular, to_csv, write_text
from gnn_nas.objective import Evaluation

_MOST_BYTES = 2**28


@dataclass(frozen=True, slots=True)
class Query:
    """One line of the history.

    Args:
        number: of the query, from 1.
        module_hash: the cell, as `gnn_nas.spaces.index.CellIndex.hash_of` names it.
        evaluation: what the search was told.
        report: the figures the search was not told, in the order of the history's columns.
        round: in which the search asked, from 0.
    """

    number: int
    module_hash: str
    evaluation: Evaluation
    report: tuple[float, ...]
    round: int


class History:
    """Queries of one search, read from a CSV file and appended to it.

    Columns: ``query``, ``hash``, ``reward``, the report's columns, ``round``, ``seconds``,
    ``failure``; numbers are written so that they read back exactly, unknown ones are empty.
    Reading changes nothing, so a search may be watched through its file while it goes.

    Args:
        path: the file; begun by the first append where it does not exist.
        report_columns: names of the report's figures.

    Raises:
        UserError: the file cannot be read or is no such history.
    """

    def __init__(self, path: str | os.PathLike[str], report_columns: tuple[str, ...]) -> None:
        self.path = Path(path)
        self.report_columns = report_columns
        self.columns = ("query", "hash", "reward", *report_columns, "round", "seconds", "failure")
        self.queries: list[Query] = []
        self._is_whole = self._read()

    def append(self, queries: list[Query]) -> None:
        """Add queries to the file; they are on the disk when this returns. Raises UserError."""
        with reported(f"cannot write {self.path}"):
            if not self._is_whole:
                # Atomically, so that a file without its header is never met.
                write_text(self.path, to_csv([self.columns, *map(self._fields, self.queries)]))
                self._is_whole = True
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(to_csv([self._fields(query) for query in queries]))
                stream.flush()
                os.fsync(stream.fileno())
        self.queries += queries

    def _read(self) -> bool:
        """Read what is there and say whether lines can be appended to it as it is."""
        try:
            content = read_regular(self.path, _MOST_BYTES)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise UserError(f"{self.path}: cannot read the history: {error.strerror}") from None
        # A line without its end is a query whose writer was killed: it is made again.
        whole = content[: content.rfind(b"\n") + 1]
        try:
            header, *lines = list(csv.reader(io.StringIO(whole.decode()))) or [[]]
        except (UnicodeDecodeError, csv.Error) as error:
            raise UserError(
                f"{self.path} is no history of a search ({error}); give another --out"
            ) from None
        if tuple(header) != self.columns:
            raise UserError(
                f"{self.path} is no history of this search: its columns are not"
                f" {', '.join(self.columns)}; give another --out"
            )
        asked: set[str] = set()
        last_round = 0
        for number, line in enumerate(lines, start=1):
            try:
                query = self._parse(line, number)
                if query.module_hash in asked:
                    raise ValueError("its cell was queried before")
                if query.round < last_round:
                    raise ValueError("its round is over")
            except ValueError as error:
                raise UserError(
                    f"{self.path}: line {number + 1} is no query of a search ({error});"
                    " give another --out"
                ) from None
            asked.add(query.module_hash)
            last_round = query.round
            self.queries.append(query)
        return whole == content

    def _parse(self, line: list[str], number: int) -> Query:
        """Read one line. Raises ValueError for what no search has written."""
        if len(line) != len(self.columns):
            raise ValueError(f"{len(line)} fields instead of {len(self.columns)}")
        if line[0] != str(number):
            raise ValueError(f"it is number {number}")
        _, module_hash, reward, *report, round_, seconds, failure = line
        if not re.fullmatch("[0-9a-z]{3,64}", module_hash):
            raise ValueError("its hash is none")
        if not re.fullmatch("0|[1-9][0-9]{0,8}", round_):
            raise ValueError("its round is no number")
        if reward and failure:
            raise ValueError("it has a reward and yet it failed")
        if _number(seconds) < 0:
            raise ValueError("its seconds are negative")
        return Query(
            number=number,
            module_hash=module_hash,
            evaluation=Evaluation(
                reward=_number(reward) if reward else None,
                seconds=_number(seconds),
                failure=failure or None,
            ),
            report=tuple(map(_number, report)),
            round=int(round_),
        )

    @staticmethod
    def _fields(query: Query) -> list[str]:
        evaluation = query.evaluation
        return [
            str(query.number),
            query.module_hash,
            "" if evaluation.reward is None else _text(evaluation.reward),
            *(_text(figure) for figure in query.report),
            str(query.round),
            _text(evaluation.seconds),
            # A query is one line, whatever an exception's text looks like.
            " ".join((evaluation.failure or "").split()),
        ]


def _text(figure: float) -> str:
    return repr(figure) if math.isfinite(figure) else ""


def _number(text: str) -> float:
    """Read what `_text` has written; Python itself would take 0.9_4 and nan as well."""
    if not text:
        return math.nan
    number = float(text)
    if not math.isfinite(number) or text not in (repr(number), repr(int(number))):
        raise ValueError(f"{text!r} is no finite number")
    return number
