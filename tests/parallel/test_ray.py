"""A real cluster of this machine alone; skipped where Ray is not installed."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from gnn_nas.errors import UserError
from gnn_nas.parallel import get_engine
from gnn_nas.parallel.commands import Command, run_command
from gnn_nas.parallel.pool import Pool, WorkerDied
from gnn_nas.parallel.ray import RayEngine
from tests.helpers import made_up_command

ROOT = Path(__file__).parents[2]


def test_missing_ray_is_told_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"needs Ray: \S+ -m pip install ray$"):
        RayEngine(str, None, 1)


def the_package():
    return pytest.importorskip("ray", reason="Ray is not installed")


def test_a_cluster_that_cannot_be_joined_is_one_error(monkeypatch):
    def refuse(**options):
        raise ConnectionError("nobody listens")

    monkeypatch.setattr(the_package(), "is_initialized", lambda: False)
    monkeypatch.setattr(the_package(), "init", refuse)
    with pytest.raises(UserError, match="cannot join or start a cluster: nobody listens"):
        RayEngine(str, None, 1)


@pytest.fixture(scope="module")
def cluster():
    """One with room for two, that runs before and after the engines."""
    ray = the_package()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        ray.init(num_cpus=2, log_to_driver=False, logging_level="ERROR", include_dashboard=False)
        yield ray
        ray.shutdown()


def wait_for(condition, seconds: float = 400) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_gone(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    return False


def test_a_process_killed_in_mid_job_changes_nothing(cluster, make_work):
    work = make_work(seconds=1.0)
    with Pool(RayEngine(work, None, 1)) as pool:
        futures = [pool.submit(job) for job in range(6)]
        wait_for(lambda: len(work.begun()) >= 3)
        os.kill(int(work.begun()[-1][1]), signal.SIGKILL)
        assert [future.result(400) for future in futures] == list(range(6))
    begun = [int(job) for job, _ in work.begun()]
    assert sorted(set(begun)) == list(range(6))
    assert len(begun) == 7  # that one twice
    wait_for(lambda: all(is_gone(pid) for _, pid in work.begun()), 5)


def test_no_process_outlives_a_killed_actor_and_another_does_the_job(cluster, make_work):
    work = make_work(seconds=2.0)
    with Pool(RayEngine(work, 1, 1)) as pool:
        future = pool.submit("a")
        wait_for(work.begun)
        pid = work.begun()[0][1]
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        os.kill(int(parent), signal.SIGKILL)
        wait_for(lambda: is_gone(pid), 5)
        assert future.result(400) == "a"
    assert len(work.begun()) == 2


@pytest.mark.parametrize("job", ["die", "be asked to end"])
def test_a_job_of_which_processes_die_is_given_up(cluster, make_work, monkeypatch, job):
    monkeypatch.setattr(RayEngine, "retries", 1)  # Ray takes its time to make another actor
    work = make_work()
    with Pool(RayEngine(work, None, 1)) as pool:
        lost, other = pool.submit(job), pool.submit(1)
        with pytest.raises(WorkerDied, match=r"killed by signal 9|asked to end"):
            lost.result(400)
        assert other.result(400) == 1
    assert [begun for begun, _ in work.begun()].count(job) == 2


def test_what_the_work_raises_is_given(cluster, make_work):
    with Pool(RayEngine(make_work(), None, 1)) as pool:
        refused, full = pool.submit("refuse"), pool.submit("full disk")
        assert str(refused.exception(400)) == "not this one"
        assert isinstance(full.exception(400), UserError)


def test_commands_run_there_as_here(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("GNN_NAS_MADE_UP", "set")
    monkeypatch.chdir(tmp_path)
    for name in ("local", "ray"):
        call = Command(made_up_command.__name__, [name, "work"], Path(f"{name}.log"))
        with Pool(get_engine(name, run_command, 1), fresh=True) as pool:
            assert pool.submit(call).result(400) == 0
        assert Path(f"{name}.log").read_text() == "begun\n"
    for what in ("threads", "variable", "where"):
        noted = [Path(name, what).read_text() for name in ("local", "ray")]
        assert noted[0] == noted[1] != ""


def test_closing_leaves_no_process_whether_jobs_have_begun_or_wait(cluster, make_work):
    work = make_work()
    engine = RayEngine(work, None, 1)
    engine.workers = 3  # more than there is room for, as where others use the cluster too
    begun = time.monotonic()
    with Pool(engine) as pool:
        futures = [pool.submit("hang") for _ in range(3)]
        wait_for(lambda: len(work.begun()) == 2)
    for future in futures:
        with pytest.raises(UserError, match="interrupted"):
            future.result(20)
    assert len(work.begun()) == 2
    assert all(is_gone(pid) for _, pid in work.begun())
    assert time.monotonic() - begun < 100
    assert cluster.is_initialized()  # a cluster that was there before stays
    wait_for(lambda: cluster.available_resources().get("CPU") == 2, 60)


def test_workers_are_as_many_as_there_is_room_for(cluster):
    assert RayEngine(str, None, 1).workers == 2
    assert RayEngine(str, 1, 1).workers == 1
    assert RayEngine(str, None, 0.5).workers == 4
    assert RayEngine(str, 1, 0.5).workers == 1
    with pytest.raises(UserError, match="no room for 8 CPUs and 0 GPUs"):
        RayEngine(str, None, 8)
    if not cluster.cluster_resources().get("GPU"):
        with pytest.raises(UserError, match=r"no room for 1 CPUs and 0\.5 GPUs"):
            RayEngine(str, None, 1, 0.5)
    assert cluster.is_initialized()
