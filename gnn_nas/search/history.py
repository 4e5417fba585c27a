"""The durable history of a search: a CSV file with one line a query."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gnn_nas.errors import UserError, reported
from gnn_nas.files import write_text
from gnn_nas.objective import Evaluation


@dataclass(frozen=True, slots=True)
class Query:
    """One line of the history.

    Args:
        number: of the query, from 1.
        module_hash: the cell, by its official hash.
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
                write_text(self.path, _lines([self.columns, *map(self._fields, self.queries)]))
                self._is_whole = True
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(_lines([self._fields(query) for query in queries]))
                stream.flush()
                os.fsync(stream.fileno())
        self.queries += queries

    def _read(self) -> bool:
        """Read what is there and say whether lines can be appended to it as it is."""
        try:
            content = self.path.read_bytes()
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
        self.queries += [self._parse(line, number) for number, line in enumerate(lines, start=1)]
        return whole == content

    def _parse(self, line: list[str], number: int) -> Query:
        try:
            if len(line) != len(self.columns) or int(line[0]) != number:
                raise ValueError
            reward, *report, round_, seconds, failure = line[2:]
            return Query(
                number=number,
                module_hash=line[1],
                evaluation=Evaluation(
                    reward=float(reward) if reward else None,
                    seconds=_number(seconds),
                    failure=failure or None,
                ),
                report=tuple(_number(figure) for figure in report),
                round=int(round_),
            )
        except ValueError:
            raise UserError(
                f"{self.path}: line {number + 1} is no query of a search; give another --out"
            ) from None

    @staticmethod
    def _fields(query: Query) -> list[str]:
        evaluation = query.evaluation
        return [
            str(query.number),
            query.module_hash,
            "" if evaluation.reward is None else repr(evaluation.reward),
            *(_text(figure) for figure in query.report),
            str(query.round),
            _text(evaluation.seconds),
            # A query is one line, whatever an exception's text looks like.
            " ".join((evaluation.failure or "").split()),
        ]


def _lines(rows: Iterable[Iterable[str]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()


def _text(figure: float) -> str:
    return "" if figure != figure else repr(figure)


def _number(text: str) -> float:
    return float(text) if text else float("nan")
