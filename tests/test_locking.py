import errno
import fcntl
import os
import subprocess
import sys
import threading
import time

import pytest

from gnn_nas.config import load_config
from gnn_nas.errors import UserError
from gnn_nas.locking import is_lock, writing
from gnn_nas.run_folder import RunFolder

HOLDER = """
import sys, time
from gnn_nas.locking import writing
folder = sys.argv[1]
sys.argv = ["/somewhere/gnn_nas/__main__.py", "search", "--resume"]
with writing(folder):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_nothing_is_left_of_a_lock(tmp_path):
    with writing(tmp_path):
        (name,) = os.listdir(tmp_path)
        assert is_lock(name)
    assert os.listdir(tmp_path) == []


def test_who_is_writing_is_said(holder, tmp_path):
    who = rf"process {holder.pid} on \S+ \(gnn-nas search\): wait for it, or give another --out"
    with (
        pytest.raises(UserError, match=rf"{tmp_path} is being written by {who}"),
        writing(tmp_path),
    ):
        pass


def test_a_killed_process_holds_nothing(holder, tmp_path):
    holder.kill()
    holder.wait()
    assert len(os.listdir(tmp_path)) == 1
    with writing(tmp_path):
        pass
    assert os.listdir(tmp_path) == []


def test_what_a_process_has_started_does_not_hold_what_it_held(tmp_path):
    with writing(tmp_path):
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with writing(tmp_path):
        assert child.poll() is None
    child.communicate()


def test_files_of_a_folder_are_locked_each_on_its_own(tmp_path):
    with writing(tmp_path / "one"), writing(tmp_path / "two"), writing(tmp_path):
        with pytest.raises(UserError, match="one is being written"), writing(tmp_path / "one"):
            pass
        assert all(map(is_lock, os.listdir(tmp_path)))
    assert os.listdir(tmp_path) == []


def test_those_that_wait_come_one_after_the_other(tmp_path, capsys):
    inside, together = [], []

    def write() -> None:
        with writing(tmp_path / "file", waits=True):
            inside.append(1)
            together.append(len(inside))
            time.sleep(0.02)
            inside.pop()

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [1] * 8
    assert os.listdir(tmp_path) == []
    assert "waiting for process" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_written_with_a_warning(
    tmp_path, monkeypatch, capsys, number
):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", fail)
    with writing(tmp_path):
        pass
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"warning: the file system of {tmp_path} has no locks")


def test_other_trouble_is_one_line(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(UserError, match=r"cannot write .*: Input/output error"), writing(tmp_path):
        pass
    with pytest.raises(UserError, match=r"cannot write .*: No such"), writing(tmp_path / "a" / "b"):
        pass


def test_a_link_in_the_lock_s_place_is_not_followed(tmp_path):
    precious, folder = tmp_path / "precious", tmp_path / "run"
    precious.write_text("words")
    folder.mkdir()
    with writing(folder):
        (name,) = os.listdir(folder)
    (folder / name).symlink_to(precious)
    with pytest.raises(UserError, match="cannot write"), writing(folder):
        pass
    assert precious.read_text() == "words"


def test_a_run_s_folder_is_claimed_by_one(tmp_path, pytestconfig):
    config = load_config(pytestconfig.rootpath / "configs" / "gin_multisim.yaml")
    path = tmp_path / "run"
    with RunFolder.claimed(path, config) as folder:
        assert folder.config.exists()
        for resume in (True, False):
            with (
                pytest.raises(UserError, match="is being written by"),
                RunFolder.claimed(path, config, resume),
            ):
                pass
    assert os.listdir(path) == ["config.yaml"]
    with RunFolder.claimed(path, config, resume=True):
        pass


def test_a_refused_folder_is_left_without_a_lock(tmp_path, pytestconfig):
    config = load_config(pytestconfig.rootpath / "configs" / "gin_multisim.yaml")
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UserError, match="no run wrote"), RunFolder.claimed(tmp_path, config):
        pass
    assert os.listdir(tmp_path) == ["thesis.tex"]
