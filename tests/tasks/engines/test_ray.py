"""A real cluster of this machine alone; skipped where Ray is not installed."""

import os
import signal
import time
from pathlib import Path

import pytest

from gnn_nas.errors import UserError
from gnn_nas.tasks.engines.local import LocalEngine
from gnn_nas.tasks.engines.pool import Pool
from gnn_nas.tasks.training_job import TrainingJob
from tests.helpers.made_up_task import Task

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'gnn_nas[ray]'")

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def cluster():
    from gnn_nas.tasks.engines.ray import RayEngine

    os.environ["PYTHONPATH"] = str(ROOT)
    ray.init(num_cpus=2, log_to_driver=False, logging_level="ERROR", include_dashboard=False)
    yield RayEngine
    ray.shutdown()


@pytest.fixture
def task(cluster, tmp_path):
    return Task(tmp_path / "notes", seconds=1.0)


@pytest.fixture
def jobs(table):
    return [TrainingJob.of_row(table, row, 0, "search") for row in range(6)]


def notes(task) -> list[list[str]]:
    if not task.notes.exists():
        return []
    return [line.split() for line in task.notes.read_text().splitlines()]


def test_a_worker_killed_in_mid_training_changes_nothing(cluster, task, jobs):
    kept = []
    with Pool(cluster(task, None, 1, 0), None, lambda *each: kept.append(each)) as pool:
        futures = [pool.submit(job) for job in jobs]
        deadline = time.monotonic() + 400
        while len(notes(task)) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(int(notes(task)[-1][2]), signal.SIGKILL)
        outcomes = [future.result(400) for future in futures]
    assert len(kept) == len(jobs)
    begun = [edges for edges, _, _ in notes(task)]
    assert len(begun) == len(jobs) + 1  # that one twice
    assert {int(edges) for edges in begun} == {job.edges for job in jobs}

    with Pool(LocalEngine(task, 2), None, lambda *each: None) as pool:
        local = [future.result(400) for future in [pool.submit(job) for job in jobs]]
    assert [outcome.reward for outcome in outcomes] == [outcome.reward for outcome in local]
    assert all(outcome.state == "done" for outcome in outcomes)


def test_workers_are_as_many_as_there_is_room_for(cluster, task):
    assert cluster(task, None, 1, 0).workers == 2
    assert cluster(task, 1, 1, 0).workers == 1
    assert cluster(task, None, 0.5, 0).workers == 4
    with pytest.raises(UserError, match="no room for 8 CPUs and 0 GPUs"):
        cluster(task, None, 8, 0)
    if not ray.cluster_resources().get("GPU"):
        with pytest.raises(UserError, match=r"no room for 1 CPUs and 0\.5 GPUs"):
            cluster(task, None, 1, 0.5)
    assert ray.is_initialized()  # a cluster that was there before stays
