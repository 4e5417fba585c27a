"""``evaluations.sqlite``, damaged or made up: refused, or the same trainings to the last bit."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gnn_nas.tasks.store import Line, Store
from gnn_nas.tasks.training_job import TrainingJob, TrainingRecord

TRAININGS = {
    TrainingJob(f"{number:032x}", 3, 5, (0, 0, 0, 0, 0), number % 2, purpose): TrainingRecord(
        state,
        1.5 + number,
        reward=number / 7 if state == "done" and purpose == "search" else None,
        metrics={"accuracy": number / 3, "note": "a text"},
        failure=None if state == "done" else "it raised",
        weights=b"\0weights" * 100 if purpose == "test" else None,
    )
    for number in range(30)
    for purpose in ("search", "test")
    for state in ["failed" if number % 9 == 8 else "done"]
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("store") / "evaluations.sqlite"
    with closing(Store(path, "task")) as store:
        for job, outcome in TRAININGS.items():
            store.put(job, outcome)
    return path.read_bytes()


@pytest.fixture
def path(whole, tmp_path) -> Path:
    (tmp_path / "evaluations.sqlite").write_bytes(whole)
    return tmp_path / "evaluations.sqlite"


@pytest.fixture
def is_refused(path, refusal) -> Callable[[], bool]:
    """Says whether the file is refused, in one line; all trainings are in it if not."""

    def check() -> bool:
        if message := refusal(Store, path, "task"):
            assert message.startswith(str(path))
            return True
        with closing(Store(path, "task")) as store:
            for job, outcome in TRAININGS.items():
                assert store.get(job) == outcome
            assert store.states() == {"done": 27, "failed": 3}
        return False

    return check


def test_the_whole_one_is_taken(is_refused):
    assert not is_refused()


@pytest.mark.parametrize("seed", range(160))
def test_a_damaged_file(is_refused, path, damaged, seed):
    path.write_bytes(damaged(path.read_bytes(), seed))
    is_refused()


@pytest.mark.parametrize("seed", range(60))
def test_eight_flipped_bits(is_refused, path, seed):
    draw = random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(8):
        content[draw.randrange(100, len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    is_refused()


IMPOSSIBLE = {
    "hash": ("", "x", "0A" * 16, "0" * 31, b"0" * 32, 5),
    "task": (b"task",),
    "purpose": ("", "train", 1),
    "seed": (-1, 0.5, "x"),
    "state": ("", "Done", "diverging", 1),
    "reward": (None, "x", float("inf"), -float("inf"), b"\0"),
    "metrics": (
        "",
        "x",
        "[]",
        "{",
        '{"a": [1]}',
        '{"a": NaN}',
        "[" * 100_000,
        '{"a": true}',
        b"{}",
    ),
    "seconds": (-1.0, float("inf"), "x", b""),
    "failure": ("it raised", 5, b"x"),
    "weights": ("text", 5),
}


@pytest.mark.parametrize("has_checksum", [True, False])
@pytest.mark.parametrize(
    ("column", "number"),
    [(column, number) for column, values in IMPOSSIBLE.items() for number in range(len(values))],
)
def test_what_no_training_leaves(is_refused, path, column, number, has_checksum):
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(
            f"UPDATE evaluations SET {column} = ? WHERE rowid = 1", [IMPOSSIBLE[column][number]]
        )
        if has_checksum:
            columns = ", ".join(Line._fields)
            query = f"SELECT {columns} FROM evaluations WHERE rowid = 1"
            try:
                checksum = Line(*database.execute(query).fetchone()).checksum
            except TypeError:  # bytes have no JSON
                checksum = 0
            database.execute("UPDATE evaluations SET checksum = ? WHERE rowid = 1", [checksum])
    assert is_refused()


@pytest.mark.parametrize("seed", range(20))
def test_a_figure_changed_by_hand(is_refused, path, seed):
    draw = random.Random(seed)
    column = draw.choice(["reward", "seconds"])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(
            f"UPDATE evaluations SET {column} = {column} + ? WHERE purpose = 'search'"
            " AND state = 'done' AND rowid = ?",
            [draw.choice([1e-9, 0.99, 500]), draw.randrange(1, 17, 2)],
        )
    assert is_refused()


SCHEMAS = [
    ["DROP TABLE evaluations"],
    ["PRAGMA user_version = 0"],
    ["PRAGMA user_version = 1"],
    ["PRAGMA user_version = 99"],
    ["PRAGMA user_version = -1"],
    ["CREATE TABLE more (x)"],
    ["ALTER TABLE evaluations ADD COLUMN more"],
    ["ALTER TABLE evaluations RENAME COLUMN reward TO score"],
    ["ALTER TABLE evaluations RENAME TO others"],
    ["ALTER TABLE evaluations DROP COLUMN weights"],
    ["CREATE INDEX more ON evaluations (state)"],
    ["CREATE TRIGGER more AFTER INSERT ON evaluations BEGIN DELETE FROM evaluations; END"],
    ["CREATE VIEW more AS SELECT 1"],
    [
        "ALTER TABLE evaluations RENAME TO others",
        # Without an end.
        "CREATE VIEW evaluations AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n)"
        " SELECT others.* FROM n, others",
    ],
]


@pytest.mark.parametrize("number", range(len(SCHEMAS)))
def test_another_schema(is_refused, path, number):
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in SCHEMAS[number]:
            database.execute(statement)
    assert is_refused()


@pytest.mark.parametrize(
    "kind", ["folder", "pipe", "/dev/zero", "loop", "no database at all" * 100, "\0"]
)
def test_something_else_in_its_place(is_refused, path, put_instead, kind):
    put_instead(path, kind)
    assert is_refused()
