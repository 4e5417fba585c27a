import functools
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from gnn_nas.errors import UserError
from gnn_nas.parallel.local import LocalEngine
from gnn_nas.tasks.evaluator import Evaluator
from gnn_nas.tasks.store import Store
from gnn_nas.tasks.task import METRICS
from gnn_nas.tasks.training_job import TrainingJob, run_training
from tests.helpers.made_up_task import Task


class Here:
    """An engine, and its workers, that make trainings in the pool's threads."""

    workers, retries, lag = 2, 0, 0

    def __init__(self, task):
        self.task = task
        self.job = None

    def start(self):
        return Here(self.task)

    def begin(self, job):
        self.job = job

    def take(self, seconds):
        return (self.job and run_training(self.task, self.job)), None

    def end(self, workers):
        pass

    def close(self):
        pass


@pytest.fixture
def task(tmp_path):
    return Task(tmp_path / "notes")


@pytest.fixture
def make(task, table, tmp_path):
    def call():
        store = Store(tmp_path / "evaluations.sqlite", task.fingerprint)
        return Evaluator(task, table, store, Here(task))

    return call


def evaluated(evaluator, rows) -> list[str]:
    """What a search is told of rows, and what it is not told."""
    rows = torch.tensor(rows)
    return list(map(repr, zip(evaluator.evaluate(rows), evaluator.report(rows), strict=True)))


def begun(task) -> int:
    return task.notes.read_text().count("\n")


def test_evaluations_are_the_task_s(make, table):
    with make() as evaluator:
        rows = torch.tensor([5, 2, 9])
        evaluations, metrics = evaluator.evaluate(rows), evaluator.report(rows)
    assert (metrics.dtype, metrics.shape) == (torch.float64, (3, len(METRICS)))
    for row, evaluation, figures in zip((5, 2, 9), evaluations, metrics.tolist(), strict=True):
        edges = table.cells.edges[row].item()
        assert evaluation.reward == edges % 101 / 100
        assert evaluation.failure is None
        assert dict(zip(evaluator.columns, figures, strict=True)) == {
            "accuracy": edges % 11,
            "parameters": edges,
            "latency": pytest.approx(math.nan, nan_ok=True),
        }


def test_nothing_is_ever_trained_twice(make, task):
    with make() as evaluator:
        first = evaluated(evaluator, [1, 2, 3])
        assert evaluated(evaluator, [3, 1]) == [first[2], first[0]]
    with make() as evaluator:  # another call, which knows the file only
        again = evaluated(evaluator, [1, 2, 3, 4])
    assert again[:3] == first
    assert begun(task) == 4


def test_searches_that_ask_at_the_same_time_share_a_training(make, task):
    task.seconds = 0.3
    with make() as evaluator, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(evaluated, [evaluator] * 4, [[7, 8]] * 4))
    assert len(set(map(repr, answers))) == 1
    assert begun(task) == 2


def test_several_trainings_of_a_cell_are_its_mean(make, task, table):
    task.trainings = 3
    with make() as evaluator:
        (answer,) = evaluator.evaluate(torch.tensor([5]))
    assert answer.reward == pytest.approx(table.cells.edges[5].item() % 101 / 100 + 1)
    assert begun(task) == 3
    task.trainings = 4
    with make() as evaluator:
        evaluator.evaluate(torch.tensor([5]))
    assert begun(task) == 4


def test_a_cell_whose_training_fails_has_no_reward_and_a_reason(make, task, table):
    task.trainings = 2
    task.misbehave = {table.cells.edges[5].item() % 7: "raise"}
    with make() as evaluator:
        (answer,) = evaluator.evaluate(torch.tensor([5]))
    assert answer.reward is None
    assert answer.failure == "failed: ValueError: of the cell (seed 0)"
    with make() as evaluator:
        (again,) = evaluator.evaluate(torch.tensor([5]))
    assert repr(again) == repr(answer)
    assert begun(task) == 2


def test_held_out_data_is_looked_at_when_asked_for(make, task):
    task.trainings = 2
    with make() as evaluator:
        evaluator.evaluate(torch.tensor([5]))
        tested = evaluator.test(5)
    assert [record.metrics["test"] for record in tested] == [0.5, 1.5]
    assert [record.weights for record in tested] == [b"weights"] * 2
    with make() as evaluator:
        assert evaluator.test(5) == tested


@pytest.mark.slow
def test_whatever_a_training_does_the_others_go_on(table, tmp_path):
    """In processes, where cells' edge bitmasks modulo 7 decide what becomes of them."""
    kinds = {1: "raise", 2: "die", 3: "nan", 4: "hang", 5: "stop", 6: "exit"}
    task = Task(tmp_path / "notes", misbehave=kinds)
    task.timeout = 3
    store = Store(tmp_path / "evaluations.sqlite", task.fingerprint)
    of_kind = {table.cells.edges[row].item() % 7: row for row in range(200)}
    rows = torch.tensor([of_kind[kind] for kind in range(7)])
    engine = LocalEngine(functools.partial(run_training, task), 2)
    with Evaluator(task, table, store, engine) as evaluator:
        evaluations = evaluator.evaluate(rows)
    records = [store.get(TrainingJob.of_row(table, row, 0, "search")) for row in rows.tolist()]
    states = ["done", "failed", "crashed", "diverged", "timeout", "stopped", "failed"]
    assert [record.state for record in records] == states
    assert [each.reward for each in evaluations] == [record.reward for record in records]
    assert evaluations[2].failure == "crashed: the process was killed by signal 9"
    assert evaluations[4].failure == "timeout: not done after 3 seconds"
    assert records[4].seconds == pytest.approx(3, abs=2)


def test_a_store_that_cannot_be_written_ends_everything(make, monkeypatch):
    def full(self, job, record):
        raise UserError("disk full")

    monkeypatch.setattr(Store, "put", full)
    with make() as evaluator:
        for row in (1, 2):
            with pytest.raises(UserError, match="disk full"):
                evaluator.evaluate(torch.tensor([row]))
