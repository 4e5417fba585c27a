"""Real processes; what they do is made up."""

import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.parallel.local import LocalEngine
from gnn_nas.parallel.pool import Pool, TimedOut, WorkerDied
from gnn_nas.signals import Terminated
from tests.helpers.made_up_work import Unloadable

ROOT = Path(__file__).parents[2]


def run(work, jobs, workers=2, **options):
    """What became of jobs: results, or what was raised."""
    with Pool(LocalEngine(work, workers), **options) as pool:
        futures = [pool.submit(job) for job in jobs]
        ends = [future.exception(300) or future.result() for future in futures]
        assert pool.done == len(jobs)
    assert not multiprocessing.active_children()
    return ends


@pytest.mark.slow
def test_whatever_becomes_of_a_job_the_others_go_on(make_work, capfd):
    jobs = [0, "refuse", "die", "hang", "fail", "full disk", 1]
    ends = run(make_work(), jobs, timeout=3)
    assert (ends[0], ends[-1]) == (0, 1)
    kinds = [UserError, WorkerDied, TimedOut, RuntimeError, UserError]
    assert list(map(type, ends[1:-1])) == kinds
    texts = list(map(str, ends[1:-1]))
    assert texts[:2] == ["not this one", "the process was killed by signal 9"]
    assert texts[2:4] == ["not done after 3 seconds", "a process failed: see its traceback"]
    assert "No space left on device: make room" in texts[4]
    assert ends[3].seconds == pytest.approx(3, abs=2)
    assert "ValueError: a defect" in capfd.readouterr().err


def test_one_process_does_one_job_after_the_other(make_work):
    work = make_work()
    assert run(work, range(5), workers=1) == list(range(5))
    assert len({pid for _, pid in work.begun()}) == 1


def test_every_job_may_have_a_process_of_its_own(make_work):
    work = make_work()
    assert run(work, range(3), workers=1, fresh=True) == [0, 1, 2]
    assert len({pid for _, pid in work.begun()}) == 3


def test_a_process_that_was_asked_to_end_ends_all(make_work):
    """SLURM asks all processes of a job, in any order; no job is to blame."""
    kept = []
    with Pool(LocalEngine(make_work(), 1), keep=lambda *each: kept.append(each)) as pool:
        futures = [pool.submit(job) for job in (0, 1, "be asked to end", 2)]
        for future in futures[2:]:
            with pytest.raises(Terminated):
                future.result(300)
    assert kept == [(0, 0), (1, 1)]
    assert not multiprocessing.active_children()


def test_who_does_not_listen_is_killed(make_work, monkeypatch):
    monkeypatch.setattr("gnn_nas.parallel.local._UNTIL_KILLED", 0.5)
    work = make_work()
    with Pool(LocalEngine(work, 1)) as pool:
        future = pool.submit("not listen")
        while not work.begun():
            time.sleep(0.01)
        time.sleep(0.2)
    with pytest.raises(UserError, match="the jobs were interrupted"):
        future.result(20)
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_torch_computes_with_one_thread(make_work, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert run(make_work(loads=torch.zeros(1)), ["threads"]) == [1]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux's /proc")
def test_no_process_outlives_a_killed_parent(make_work):
    work = make_work()
    code = (
        "from tests.helpers.made_up_work import Work; from pathlib import Path\n"
        "from gnn_nas.parallel.local import LocalEngine; from gnn_nas.parallel.pool import Pool\n"
        f"pool = Pool(LocalEngine(Work(Path({str(work.notes)!r})), 1), early=2)\n"
        "pool.submit('hang').result()"
    )
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path})
    while not work.begun():
        assert process.poll() is None
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task").glob("*/children")
    pids = [pid for path in children for pid in path.read_text().split()]
    assert work.begun()[0][1] in pids
    process.kill()
    process.wait()
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_work_that_cannot_be_loaded_is_no_death_but_says_why():
    with Pool(LocalEngine(Unloadable(), 1)) as pool:
        for job in range(2):
            with pytest.raises(UserError, match=r"^no module here$"):
                pool.submit(job).result(60)
