import math
import os
import sqlite3
import tempfile
from pathlib import Path

import pytest

from gnn_nas.errors import UserError
from gnn_nas.tasks import store as store_module
from gnn_nas.tasks.store import Line, Store
from gnn_nas.tasks.training_job import TrainingJob, TrainingRecord
from tests.helpers.unprivileged import unprivileged

JOB = TrainingJob("0a" * 16, 3, 5, (0, 0, 0, 0, 0), 0, "search")
OUTCOME = TrainingRecord("done", 1.5, 0.1 + 0.2, {"accuracy": 1 / 3, "latency": math.nan})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "evaluations.sqlite"


def test_what_was_put_comes_back_exactly(path):
    Store(path, "task").put(JOB, OUTCOME)
    store = Store(path, "task")
    found = store.get(JOB)
    assert repr(found) == repr(OUTCOME)  # NaN is not equal to itself
    assert store.states() == {"done": 1}


def test_a_training_is_known_by_cell_task_purpose_and_seed(path):
    store = Store(path, "task")
    store.put(JOB, OUTCOME)
    others = [
        TrainingJob("0b" * 16, 3, 5, (0, 0, 0, 0, 0), 0, "search"),
        TrainingJob("0a" * 16, 3, 5, (0, 0, 0, 0, 0), 1, "search"),
        TrainingJob("0a" * 16, 3, 5, (0, 0, 0, 0, 0), 0, "test"),
    ]
    assert [store.get(job) for job in others] == [None, None, None]
    assert Store(path, "another").get(JOB) is None
    tested = TrainingRecord("done", 1.0, metrics={"test": 0.5}, weights=b"\0\1")
    store.put(others[2], tested)
    assert store.get(others[2]) == tested
    assert store.states() == {"done": 1}  # tests are none of the search's


def test_failures_are_kept_like_all_others(path):
    failed = TrainingRecord("crashed", 2.0, failure="the process was killed by signal 9")
    store = Store(path, "task")
    store.put(JOB, failed)
    assert store.get(JOB) == failed


def test_the_file_is_plain_sqlite(path):
    Store(path, "task").put(JOB, OUTCOME)
    columns = "hash, task, purpose, seed, state, reward, seconds, failure"
    with sqlite3.connect(path) as database:
        (row,) = database.execute(f"SELECT {columns} FROM evaluations")
    assert row == ("0a" * 16, "task", "search", 0, "done", 0.1 + 0.2, 1.5, None)


def test_a_file_without_checksums_gets_them(path):
    Store(path, "task").put(JOB, OUTCOME)
    with sqlite3.connect(path) as database:
        columns = ", ".join(Line._fields)
        database.execute("ALTER TABLE evaluations RENAME TO others")
        database.execute(store_module._TABLES[1])
        database.execute(f"INSERT INTO evaluations SELECT {columns} FROM others")
        database.execute("DROP TABLE others")
        database.execute("PRAGMA user_version = 1")
    for _ in range(2):
        store = Store(path, "task")
        assert repr(store.get(JOB)) == repr(OUTCOME)
        assert store.states() == {"done": 1}
        store.close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE evaluations SET reward = 0.5")
    with pytest.raises(
        UserError, match=r"is damaged .the checksum of 0a.* or delete it, and --res"
    ):
        Store(path, "task")


def test_a_training_twice_is_refused(path):
    store = Store(path, "task")
    store.put(JOB, OUTCOME)
    with pytest.raises(UserError, match="UNIQUE constraint"):
        store.put(JOB, OUTCOME)


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 99])
def test_another_file_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"evaluations.sqlite: cannot open the evaluations"):
        Store(path, "task")
    assert path.read_bytes() == content


def test_another_database_is_refused(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE mine (x)")
    with pytest.raises(UserError, match="holds no evaluations"):
        Store(path, "task")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="cannot open the evaluations"):
        Store(tmp_path / "absent" / "x.sqlite", "task")


def test_a_file_that_may_only_be_read_is_refused_at_once():
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "evaluations.sqlite"
        Store(path, "task").put(JOB, OUTCOME)
        os.chmod(name, 0o555)
        path.chmod(0o444)
        with unprivileged(), pytest.raises(UserError, match="attempt to write a readonly"):
            Store(path, "task")
        os.chmod(name, 0o755)
