"""Everything that was ever trained, in an SQLite file: nothing is trained twice, nothing lost."""

from __future__ import annotations

import json
import math
import os
import re
import sqlite3
import threading
from pathlib import Path
from typing import Any, NamedTuple, Self, get_args

from crc32c import crc32c

from gnn_nas.errors import UserError
from gnn_nas.files import to_json
from gnn_nas.tasks.training_job import Purpose, State, TrainingJob, TrainingRecord

# In the file's header: a change of the table below makes another one. The first had no checksums.
_FORMAT, _FIRST_FORMAT = 2, 1
_CHECKSUM = "    checksum INTEGER NOT NULL,\n"
_TABLE = f"""\
CREATE TABLE evaluations (
    hash TEXT NOT NULL,
    task TEXT NOT NULL,
    purpose TEXT NOT NULL,
    seed INTEGER NOT NULL,
    state TEXT NOT NULL,
    reward REAL,
    metrics TEXT NOT NULL,
    seconds REAL NOT NULL,
    failure TEXT,
    weights BLOB,
{_CHECKSUM}    PRIMARY KEY (hash, task, purpose, seed)
)"""
_TABLES = {_FORMAT: _TABLE, _FIRST_FORMAT: _TABLE.replace(_CHECKSUM, "")}
_LEAST_BYTES = 512
# A module hash, or a cell that is spelt where there is no table, see `CellRegistry.hash_of`.
_HASH = "[0-9a-z]{3,60}"
_KEY = "hash = ? AND task = ? AND purpose = ? AND seed = ?"
# Those that give a reward, or of a test its figures; the others say why they failed.
_WELL = ("done", "stopped")


class Line(NamedTuple):
    """What came of a training, as SQLite holds it, in the order of the table's columns."""

    hash: str
    task: str
    purpose: str
    seed: int
    state: State
    reward: float | None
    metrics: str
    seconds: float
    failure: str | None
    weights: bytes | None

    @classmethod
    def of(cls, job: TrainingJob, task: str, outcome: TrainingRecord) -> Self:
        """The line of a training for the task with this fingerprint."""
        return cls(
            job.module_hash,
            task,
            job.purpose,
            job.seed,
            outcome.state,
            None if outcome.reward is None else float(outcome.reward),
            to_json(outcome.metrics),
            float(outcome.seconds),
            outcome.failure,
            outcome.weights,
        )

    @property
    def checksum(self) -> int:
        """CRC-32C of all columns."""
        *others, weights = self
        return crc32c(weights or b"", crc32c(to_json(others).encode()))

    def outcome(self) -> TrainingRecord:
        """What came of the training."""
        # JSON has no NaN: it is written as null.
        metrics = {
            name: math.nan if value is None else value
            for name, value in json.loads(self.metrics).items()
        }
        return TrainingRecord(
            self.state, self.seconds, self.reward, metrics, self.failure, self.weights
        )

    def refuse_impossible(self) -> None:
        """Raise ``ValueError``, which names the column, for what no training leaves."""
        well = self.state in _WELL
        possible = {
            "hash": isinstance(self.hash, str) and re.fullmatch(_HASH, self.hash),
            "task": isinstance(self.task, str),
            "purpose": self.purpose in get_args(Purpose),
            "seed": type(self.seed) is int and self.seed >= 0,
            "state": self.state in get_args(State),
            "reward": _is_finite(self.reward) == (well and self.purpose == "search")
            and (self.reward is None or _is_finite(self.reward)),
            "metrics": _are_figures(self.metrics),
            "seconds": _is_finite(self.seconds) and self.seconds >= 0,
            "failure": self.failure is None if well else isinstance(self.failure, str),
            "weights": isinstance(self.weights, bytes | None),
        }
        for name, is_possible in possible.items():
            if not is_possible:
                raise ValueError(f"the {name} of {self.hash!r:.40} is impossible")


_COLUMNS = ", ".join(Line._fields)


class Store:
    """The trainings of one or several tasks; may be used from several threads.

    The file's table ``evaluations`` has a line for every training: the cell's ``hash``, the
    ``task``'s fingerprint, ``purpose`` (search, or test at the end), ``seed``, ``state``,
    ``reward``, ``metrics`` in JSON, ``seconds``, ``failure``, the ``weights`` of a tested network
    as a safetensors file, and a ``checksum`` of all these. The whole file is checked as it is
    opened.

    Args:
        path: the file; made where there is none.
        fingerprint: of the task whose trainings are asked for.

    Raises:
        UserError: the file cannot be read or written, is no such file, or is damaged.
    """

    def __init__(self, path: str | os.PathLike[str], fingerprint: str) -> None:
        self.path = Path(path)
        self._fingerprint = fingerprint
        self._lock = threading.Lock()
        if self.path.exists():
            if not self.path.is_file():
                raise UserError(f"{path}: cannot open the evaluations: no regular file")
            # SQLite would take it for a new one.
            if 0 < self.path.stat().st_size < _LEAST_BYTES:
                raise UserError(f"{path}: cannot open the evaluations: the file is cut short")
        try:
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._open()
        except sqlite3.Error as error:
            reason = " ".join(str(error).split())
            raise UserError(f"{path}: cannot open the evaluations: {reason}") from error
        except ValueError as error:
            raise UserError(
                f"{path} is damaged ({error}): put a copy of it back, or delete it, and --resume"
                " to make its trainings again"
            ) from None

    def get(self, job: TrainingJob) -> TrainingRecord | None:
        """What came of a training; None where it has not been made. Raises UserError."""
        key = job.module_hash, self._fingerprint, job.purpose, job.seed
        found = self._execute(f"SELECT {_COLUMNS} FROM evaluations WHERE {_KEY}", key)
        return Line(*found[0]).outcome() if found else None

    def put(self, job: TrainingJob, outcome: TrainingRecord) -> None:
        """Keep what came of a training; it is on the disk when this returns. Raises UserError."""
        self._execute(*_insertion(Line.of(job, self._fingerprint, outcome)))

    def states(self) -> dict[str, int]:
        """How many of the task's trainings for a search ended in which state. Raises UserError."""
        return dict(
            self._execute(
                "SELECT state, count(*) FROM evaluations WHERE task = ? AND purpose = 'search'"
                " GROUP BY state ORDER BY state",
                (self._fingerprint,),
            )
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _open(self) -> None:
        """Make the table, or look whether it is whole. Raises ValueError where it is not."""
        execute = self._database.execute
        # On the disk before a search goes on, also when the machine loses its power.
        execute("PRAGMA synchronous = FULL")
        execute("PRAGMA trusted_schema = OFF")
        (version,) = execute("PRAGMA user_version").fetchone()
        tables = execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        if version == 0 and not tables:
            self._replace_table([])
            return
        # Before it is asked for anything: another table of the name may be a program.
        if tables != [(_TABLES.get(version),)]:
            raise UserError(f"{self.path} holds no evaluations, or of another version of gnn_nas")
        if (found := execute("PRAGMA integrity_check").fetchone()) != ("ok",):
            raise ValueError(" ".join(found[0].split()))
        lines = []
        for *columns, checksum in execute(
            f"SELECT {_COLUMNS}, {'checksum' if version == _FORMAT else 'NULL'} FROM evaluations"
        ):
            line = Line(*columns)
            line.refuse_impossible()
            if version == _FORMAT and checksum != line.checksum:
                raise ValueError(f"the checksum of {line.hash} does not fit")
            lines.append(line)
        if version == _FIRST_FORMAT:
            self._replace_table(lines)
        # Now, not after the first training: a file that may only be read is opened without a word.
        execute(f"PRAGMA user_version = {_FORMAT}")

    def _replace_table(self, lines: list[Line]) -> None:
        execute = self._database.execute
        execute("BEGIN IMMEDIATE")
        execute("DROP TABLE IF EXISTS evaluations")
        execute(_TABLE)
        for line in lines:
            execute(*_insertion(line))
        execute(f"PRAGMA user_version = {_FORMAT}")
        execute("COMMIT")

    def _execute(self, statement: str, values: tuple) -> list[tuple]:
        try:
            with self._lock:
                return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise UserError(f"{self.path}: {error}") from error


def _insertion(line: Line) -> tuple[str, tuple]:
    """The statement that adds a line, and its values."""
    places = ", ".join("?" * (len(line) + 1))
    return f"INSERT INTO evaluations ({_COLUMNS}, checksum) VALUES ({places})", (
        *line,
        line.checksum,
    )


def _is_finite(value: Any) -> bool:
    return type(value) is float and math.isfinite(value)


def _are_figures(text: Any) -> bool:
    """Whether this is JSON of numbers and texts by name, null for those that are not known."""
    try:
        figures: Any = json.loads(text) if isinstance(text, str) else None
        values = [each for each in figures.values() if not isinstance(each, str | None)]
        return all(type(each) in (int, float) and math.isfinite(each) for each in values)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return False
