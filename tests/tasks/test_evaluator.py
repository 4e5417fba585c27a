import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gnn_nas.tasks.evaluator import Evaluator
from gnn_nas.tasks.store import Store
from gnn_nas.tasks.task import METRICS
from gnn_nas.tasks.training_job import run_training
from tests.helpers.made_up_task import Task


class Here:
    """Makes trainings in a thread of this process."""

    workers, retries = 2, 0

    def __init__(self, task):
        self.task = task

    def start(self):
        return HereWorker(self.task)

    def wait(self, workers, seconds):
        time.sleep(0.001)
        return [worker for worker in workers if not worker.thread.is_alive()]

    def close(self):
        pass


class HereWorker:
    def __init__(self, task):
        self.task = task
        self.outcome = None
        self.thread = threading.Thread()

    def begin(self, job):
        def work():
            self.outcome = run_training(self.task, job)

        self.thread = threading.Thread(target=work)
        self.thread.start()

    def take(self):
        return self.outcome

    def end(self):
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


def begun(task) -> int:
    return task.notes.read_text().count("\n")


def test_evaluations_are_the_task_s(make, table):
    with make() as evaluator:
        answers = evaluator.evaluate([5, 2, 9])
    for row, answer in zip((5, 2, 9), answers, strict=True):
        edges = table.cells.edges[row].item()
        assert answer.evaluation.reward == edges % 101 / 100
        assert answer.evaluation.failure is None
        assert dict(zip(METRICS, answer.figures, strict=True)) == {
            "accuracy": edges % 11,
            "parameters": edges,
            "latency": pytest.approx(math.nan, nan_ok=True),
        }


def test_nothing_is_ever_trained_twice(make, task):
    with make() as evaluator:
        first = evaluator.evaluate([1, 2, 3])
        assert repr(evaluator.evaluate([3, 1])) == repr([first[2], first[0]])
    with make() as evaluator:  # another call, which knows the file only
        again = evaluator.evaluate([1, 2, 3, 4])
    assert repr(again[:3]) == repr(first)
    assert begun(task) == 4


def test_searches_that_ask_at_the_same_time_share_a_training(make, task):
    task.seconds = 0.3
    with make() as evaluator, ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(evaluator.evaluate, [[7, 8]] * 4))
    assert len(set(map(repr, answers))) == 1
    assert begun(task) == 2


def test_several_trainings_of_a_cell_are_its_mean(make, task, table):
    task.trainings = 3
    with make() as evaluator:
        (answer,) = evaluator.evaluate([5])
    assert answer.evaluation.reward == pytest.approx(table.cells.edges[5].item() % 101 / 100 + 1)
    assert begun(task) == 3
    task.trainings = 4
    with make() as evaluator:
        evaluator.evaluate([5])
    assert begun(task) == 4


def test_a_cell_whose_training_fails_has_no_reward_and_a_reason(make, task, table):
    task.trainings = 2
    task.misbehave = {table.cells.edges[5].item() % 7: "raise"}
    with make() as evaluator:
        (answer,) = evaluator.evaluate([5])
    assert answer.evaluation.reward is None
    assert answer.evaluation.failure == "failed: ValueError: of the cell (seed 0)"
    with make() as evaluator:
        (again,) = evaluator.evaluate([5])
    assert repr(again) == repr(answer)
    assert begun(task) == 2


def test_held_out_data_is_looked_at_when_asked_for(make, task):
    task.trainings = 2
    with make() as evaluator:
        evaluator.evaluate([5])
        tested = evaluator.test(5)
    assert [outcome.metrics["test"] for outcome in tested] == [0.5, 1.5]
    assert [outcome.weights for outcome in tested] == [b"weights"] * 2
    with make() as evaluator:
        assert evaluator.test(5) == tested
