import os

import pytest

from gnn_nas.experiments.table1.engines.local import LocalEngine
from gnn_nas.experiments.table1.jobs import run_jobs
from tests.helpers import made_up_command as made_up


def test_commands_run_here_with_one_thread(make, tmp_path, monkeypatch):
    monkeypatch.setenv("GNN_NAS_MADE_UP", "set")
    job = make("job")
    assert run_jobs([job], LocalEngine(1), tmp_path / "logs") == []
    assert job.noted("threads") == "1"
    assert job.noted("variable") == "set"
    assert job.noted("where") == os.getcwd()
    assert job.noted("parent0") == str(os.getpid())
    assert (tmp_path / "logs" / "job.log").read_text() == "begun\n"


def test_a_killed_command_is_not_begun_again(make, tmp_path, capsys):
    job = make("job", "die-once")
    assert run_jobs([job], LocalEngine(1), tmp_path / "logs") == [job]
    assert "job: killed by signal 9, perhaps for want of memory" in capsys.readouterr().err
    assert not job.noted("pid1")


def test_ctrl_c_leaves_no_process(make, tmp_path):
    jobs = [make("hanging", "hang", kind=made_up.Stopping), make("too", "hang")]
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, LocalEngine(2), tmp_path / "logs")
    assert (jobs[0].folder.path / "interrupted").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(jobs[0].noted("pid0")), 0)
