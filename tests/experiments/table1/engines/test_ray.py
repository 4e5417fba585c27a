"""A real cluster of this machine alone; skipped where Ray is not installed."""

import os
import signal
import time
from pathlib import Path

import pytest

from gnn_nas.experiments.table1.engines.local import LocalEngine
from gnn_nas.experiments.table1.jobs import run_jobs
from tests.helpers import made_up_command as made_up

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'gnn_nas[ray]'")

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def engine():
    """Gives engines on a cluster that runs before and after them."""
    from gnn_nas.experiments.table1.engines.ray import RayEngine

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        ray.init(num_cpus=2, log_to_driver=False, logging_level="ERROR", include_dashboard=False)
        yield RayEngine
        ray.shutdown()


def is_gone(pid: str, seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_commands_run_as_on_this_machine(engine, make, tmp_path, monkeypatch):
    monkeypatch.setenv("GNN_NAS_MADE_UP", "set")
    monkeypatch.chdir(tmp_path)
    jobs = [make("second"), make("first")]
    jobs[0].after = jobs[1]
    assert run_jobs(jobs, engine(None, 1), Path("logs")) == []
    # Begun by a worker of the cluster, not from here.
    assert jobs[0].noted("parent0") != str(os.getpid())
    assert (tmp_path / "logs" / "first.log").read_text() == "begun\n"
    here = make("here")
    assert run_jobs([here], LocalEngine(1), Path("logs")) == []
    for what in ("threads", "variable", "where"):
        assert jobs[0].noted(what) == jobs[1].noted(what) == here.noted(what) != ""


def test_a_failing_command_is_told_by_its_last_line(engine, make, tmp_path, capsys):
    failing = make("failing", "fail")
    jobs = [failing, make("needing", "work", failing), make("other")]
    assert run_jobs(jobs, engine(None, 1), tmp_path / "logs") == jobs[:2]
    assert "failing: error: no luck\n" in capsys.readouterr().err


@pytest.mark.parametrize(("kind", "what"), [("Killing", "hang-once"), ("Fake", "die-once")])
def test_a_killed_worker_or_command_is_begun_again(engine, make, tmp_path, kind, what):
    jobs = [make("killed", what, kind=getattr(made_up, kind)), make("other")]
    assert run_jobs(jobs, engine(None, 1), tmp_path / "logs") == []
    assert (tmp_path / "logs" / "killed.log").read_text() == "begun\nbegun\n"
    assert is_gone(jobs[0].noted("pid0"))
    assert not jobs[1].noted("pid1")


def test_a_command_that_is_always_killed_is_given_up(engine, make, tmp_path, capsys):
    job, made = make("job", "die"), engine(None, 1)
    made.retries = 1  # Ray takes half a minute over a place where actors keep dying
    assert run_jobs([job], made, tmp_path / "logs") == [job]
    assert job.noted("pid1")
    assert not job.noted("pid2")
    assert "job: killed by signal 9, perhaps for want of memory" in capsys.readouterr().err


def test_a_machine_that_does_not_see_the_logs_is_told(engine, make, tmp_path, capsys):
    job, made = make("job"), engine(None, 1)
    made.retries = 0
    start = made.start
    made.start = lambda job, log: start(job, tmp_path / "absent" / log.name)
    assert run_jobs([job], made, tmp_path / "logs") == [job]
    assert "job: cannot be started there: [Errno 2] No such file" in capsys.readouterr().err


def test_ctrl_c_leaves_no_process_whether_it_has_begun_or_waits(engine, make, tmp_path):
    jobs = [make("hanging", "hang", kind=made_up.Stopping), make("too", "hang"), make("waiting")]
    made = engine(None, 1)
    made.at_once = 3  # more than there is room for, as where others use the cluster too
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, made, tmp_path / "logs")
    assert (jobs[0].folder.path / "interrupted").exists()
    assert is_gone(jobs[0].noted("pid0"), 0.1)
    assert not jobs[2].folder.path.exists()
    assert time.monotonic() - begun < 100
    assert ray.is_initialized()  # a cluster that was there before stays
    deadline = time.monotonic() + 60
    while ray.available_resources().get("CPU") != 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert ray.available_resources()["CPU"] == 2


def test_no_process_outlives_a_killed_worker(engine, make, tmp_path):
    made = engine(None, 1)
    job = make("job", "hang")
    process = made.start(job, tmp_path / "log")
    while not job.noted("parent0"):
        assert process.status() is None
        time.sleep(0.1)
    os.kill(int(job.noted("parent0")), signal.SIGKILL)
    assert is_gone(job.noted("pid0"))


def test_at_once_are_as_many_as_there_is_room_for(engine):
    assert engine(None, 1).at_once == 2
    assert engine(None, 0.5).at_once == 4
    assert engine(1, 0.5).at_once == 1
