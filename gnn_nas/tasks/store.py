"""Everything that was ever trained, in an SQLite file: nothing is trained twice, nothing lost."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from pathlib import Path

from gnn_nas.errors import UserError
from gnn_nas.files import to_json
from gnn_nas.tasks.trainings import Job, Outcome

# In the file's header: a change of the table below makes another one.
_FORMAT = 1
_TABLE = """
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
    PRIMARY KEY (hash, task, purpose, seed)
)
"""


class Store:
    """The trainings of one or several tasks; may be used from several threads.

    The file's table ``evaluations`` has a line for every training: the cell's module ``hash``, the
    ``task``'s fingerprint, ``purpose`` (search, or test at the end), ``seed``, ``state``,
    ``reward``, ``metrics`` in JSON, ``seconds``, ``failure``, and the ``weights`` of a tested
    network as a safetensors file.

    Args:
        path: the file; made where there is none.
        fingerprint: of the task whose trainings are asked for.

    Raises:
        UserError: the file cannot be read or written, or is no such file.
    """

    def __init__(self, path: str | os.PathLike[str], fingerprint: str) -> None:
        self.path = Path(path)
        self._fingerprint = fingerprint
        self._lock = threading.Lock()
        try:
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            # On the disk before a search goes on, also when the machine loses its power.
            self._database.execute("PRAGMA synchronous = FULL")
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version == 0 and not self._has_tables():
                self._database.execute("BEGIN IMMEDIATE")
                self._database.execute(_TABLE)
                self._database.execute(f"PRAGMA user_version = {_FORMAT}")
                self._database.execute("COMMIT")
            elif version != _FORMAT:
                raise UserError(f"{path} holds no evaluations, or of another version of gnn_nas")
        except sqlite3.Error as error:
            raise UserError(f"{path}: cannot open the evaluations: {error}") from error

    def get(self, job: Job) -> Outcome | None:
        """What came of a training; None where it has not been made. Raises UserError."""
        found = self._execute(
            "SELECT state, seconds, reward, metrics, failure, weights FROM evaluations"
            " WHERE hash = ? AND task = ? AND purpose = ? AND seed = ?",
            self._key(job),
        )
        if not found:
            return None
        state, seconds, reward, metrics, failure, weights = found[0]
        # JSON has no NaN: it is written as null.
        known = {
            name: float("nan") if value is None else value
            for name, value in json.loads(metrics).items()
        }
        return Outcome(state, seconds, reward, known, failure, weights)

    def put(self, job: Job, outcome: Outcome) -> None:
        """Keep what came of a training; it is on the disk when this returns. Raises UserError."""
        self._execute(
            "INSERT INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *self._key(job),
                outcome.state,
                outcome.reward,
                to_json(outcome.metrics),
                outcome.seconds,
                outcome.failure,
                outcome.weights,
            ),
        )

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

    def _key(self, job: Job) -> tuple:
        return job.module_hash, self._fingerprint, job.purpose, job.seed

    def _execute(self, statement: str, values: tuple) -> list[tuple]:
        try:
            with self._lock:
                return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise UserError(f"{self.path}: {error}") from error

    def _has_tables(self) -> bool:
        return bool(self._database.execute("SELECT 1 FROM sqlite_master").fetchall())
