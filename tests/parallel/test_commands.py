"""Commands in processes of their own; what they do is made up."""

import os
import time

import pytest

from gnn_nas.errors import UserError
from gnn_nas.parallel.commands import Command, run_command
from gnn_nas.parallel.local import LocalEngine
from gnn_nas.parallel.pool import Pool, WorkerDied
from tests.helpers import made_up_command


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Gives calls of the made-up command, each in a folder that is called as what it does."""
    monkeypatch.setenv("GNN_NAS_MADE_UP", "set")
    return lambda what: Command(
        made_up_command.__name__, [str(tmp_path / what), what], tmp_path / "log"
    )


def ends(*commands):
    with Pool(LocalEngine(run_command, 1), fresh=True) as pool:
        futures = [pool.submit(command) for command in commands]
        return [future.exception(300) or future.result() for future in futures]


def test_a_command_runs_as_if_called_itself_with_one_thread(command, tmp_path, monkeypatch):
    call = command("work")
    monkeypatch.delenv("GNN_NAS_MADE_UP")  # what was set when it was asked for is passed on
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert ends(call, command("again")) == [0, 0]
    noted = {path.name: path.read_text() for path in (tmp_path / "work").iterdir()}
    assert noted["threads"] == "1"
    assert noted["variable"] == "set"
    assert noted["where"] == os.getcwd()
    assert noted["called"] == repr([made_up_command.__file__, *call.options])
    assert noted["pid0"] != (tmp_path / "again" / "pid0").read_text()
    assert (tmp_path / "log").read_text() == "begun\nbegun\n"
    assert "OMP_NUM_THREADS" not in os.environ


def test_every_end_has_its_status_and_its_last_words(command, tmp_path):
    absent = Command("absent_module", [], tmp_path / "log")
    all_ends = ends(*map(command, ("fail", "exit", "raise", "die-once", "work")), absent)
    assert [*all_ends[:3], *all_ends[4:]] == [2, 3, 1, 0, 1]
    assert isinstance(all_ends[3], WorkerDied)
    said = (tmp_path / "log").read_text()
    assert "error: no luck\n" in said
    assert "ValueError: no luck\n" in said
    assert said.endswith("ModuleNotFoundError: No module named 'absent_module'\n")


def test_a_log_that_cannot_be_written_is_told(tmp_path):
    absent = Command("absent_module", [], tmp_path / "absent" / "log")
    (error,) = ends(absent)
    assert isinstance(error, UserError)
    assert str(error) == f"cannot write {absent.log}: No such file or directory"


def test_closing_asks_a_command_to_end_before_it_is_killed(command, tmp_path):
    """As a pretraining, which writes its checkpoint then."""
    with Pool(LocalEngine(run_command, 1), fresh=True) as pool:
        pool.submit(command("hang"))
        while not (tmp_path / "hang" / "pid0").exists():
            time.sleep(0.01)
        time.sleep(0.1)
        asked = time.monotonic()
    assert time.monotonic() - asked < 15  # it was not waited for until it had to be killed
    assert (tmp_path / "hang" / "interrupted").exists()
