"""Real processes; what they train is made up."""

import multiprocessing

import pytest

from gnn_nas.errors import UserError
from gnn_nas.tasks.engines.local import LocalEngine
from gnn_nas.tasks.engines.pool import Pool
from gnn_nas.tasks.training_job import TrainingJob
from tests.helpers.made_up_task import Task


@pytest.fixture
def make_task(tmp_path):
    return lambda **options: Task(tmp_path / "notes", **options)


@pytest.fixture
def jobs(table):
    """Trainings of cells whose edge bitmasks modulo 7 are 0 to 6."""
    rows = {table.cells.edges[row].item() % 7: row for row in range(200)}
    return [TrainingJob.of_row(table, rows[kind], 0, "search") for kind in range(7)]


def run(task, jobs, workers=2, timeout=None):
    kept = []
    with Pool(LocalEngine(task, workers), timeout, lambda *each: kept.append(each)) as pool:
        outcomes = [future.result(300) for future in [pool.submit(job) for job in jobs]]
    assert len(kept) == len(jobs)
    assert not multiprocessing.active_children()
    return outcomes


def test_whatever_a_training_does_the_others_go_on(make_task, jobs):
    kinds = {1: "raise", 2: "die", 3: "nan", 4: "hang", 5: "stop", 6: "exit"}
    outcomes = run(make_task(misbehave=kinds), jobs, timeout=3)
    states = ["done", "failed", "crashed", "diverged", "timeout", "stopped", "failed"]
    assert [outcome.state for outcome in outcomes] == states
    assert outcomes[2].failure == "the process was killed by signal 9"
    assert outcomes[4].seconds == pytest.approx(3, abs=2)


def test_rewards_do_not_depend_on_the_number_of_processes(make_task, jobs, tmp_path):
    rewards = [
        [outcome.reward for outcome in run(make_task(), jobs, workers)] for workers in (1, 3)
    ]
    assert rewards[0] == rewards[1]
    pids = [line.split()[2] for line in (tmp_path / "notes").read_text().splitlines()]
    assert len(pids) == 14
    assert len(set(pids[:7])) == 1


def test_a_process_that_was_asked_to_end_is_no_failure_of_its_cell(make_task, jobs):
    """SLURM asks all processes of a job; a failure would stay in the history."""
    kept = []
    task = make_task(misbehave={2: "be asked to end"})
    with Pool(LocalEngine(task, 1), None, lambda *each: kept.append(each)) as pool:
        futures = [pool.submit(job) for job in jobs[:4]]
        for future in futures[2:]:
            with pytest.raises(UserError, match="asked to end: continue with --resume"):
                future.result(300)
    assert [outcome.state for _, outcome in kept] == ["done", "done"]
    assert not multiprocessing.active_children()
