"""The pool with workers that live in this process and do what they are told."""

import threading
import time

import pytest

from gnn_nas.errors import UserError
from gnn_nas.tasks.engines.pool import Pool, WorkerDied
from gnn_nas.tasks.training_job import TrainingJob, TrainingRecord


def job(number: int) -> TrainingJob:
    return TrainingJob(f"{number:032x}", 3, 5, (0, 0, 0, 0, 0), 0, "search")


class FakeEngine:
    """Workers that die of the jobs in ``deadly``, as often as it says, and hang in ``endless``."""

    def __init__(self, workers=2, retries=0, deadly=None, endless=(), stillborn=0):
        self.workers = workers
        self.retries = retries
        self.deadly = deadly or {}
        self.endless = endless
        self.stillborn = stillborn
        self.started: list[FakeWorker] = []
        self.begun: list[int] = []
        self.most_at_once = 0
        self.closed = False

    def start(self):
        self.started.append(FakeWorker(self))
        return self.started[-1]

    def wait(self, workers, seconds):
        self.most_at_once = max(self.most_at_once, sum(w.number is not None for w in workers))
        time.sleep(0.001)
        return [worker for worker in workers if worker.number not in self.endless]

    def close(self):
        self.closed = True


class FakeWorker:
    def __init__(self, engine):
        self.engine = engine
        self.number = None
        self.ended = False

    def begin(self, job):
        self.number = int(job.module_hash, 16)
        self.engine.begun.append(self.number)

    def take(self):
        if self.number is None:
            if self.engine.stillborn:
                self.engine.stillborn -= 1
                raise WorkerDied("no memory")
            return None
        if self.engine.deadly.get(self.number):
            self.engine.deadly[self.number] -= 1
            raise WorkerDied("killed")
        return TrainingRecord("done", 0.0, reward=float(self.number))

    def end(self):
        self.ended = True


@pytest.fixture
def run():
    """Gives the outcomes of some jobs, and what was kept of them."""

    def call(engine, numbers, timeout=None):
        kept = []
        with Pool(engine, timeout, lambda job, outcome: kept.append((job, outcome))) as pool:
            futures = [pool.submit(job(number)) for number in numbers]
            outcomes = [future.result(20) for future in futures]
            assert pool.made == len(numbers)
            assert pool.running == 0
        assert engine.closed
        assert all(worker.ended for worker in engine.started)
        assert sorted(kept, key=str) == sorted(
            zip(map(job, numbers), outcomes, strict=True), key=str
        )
        return outcomes

    return call


def test_trainings_are_made_in_order_by_as_many_workers_as_there_are(run):
    engine = FakeEngine(workers=3)
    assert [outcome.reward for outcome in run(engine, range(20))] == list(range(20))
    assert engine.begun == list(range(20))
    assert len(engine.started) == 3
    assert 1 <= engine.most_at_once <= 3


def test_no_more_workers_are_started_than_are_needed(run):
    engine = FakeEngine(workers=8)
    run(engine, [5])
    assert len(engine.started) == 1


def test_a_worker_s_death_is_the_training_s_where_nothing_is_tried_again(run):
    engine = FakeEngine(deadly={1: 1})
    outcomes = run(engine, range(4))
    assert [outcome.state for outcome in outcomes] == ["done", "crashed", "done", "done"]
    assert outcomes[1].failure == "killed"
    assert engine.begun.count(1) == 1


def test_a_training_is_tried_again_elsewhere_a_few_times(run):
    engine = FakeEngine(retries=3, deadly={1: 3, 2: 4})
    outcomes = run(engine, range(4))
    assert [outcome.state for outcome in outcomes] == ["done", "done", "crashed", "done"]
    assert (engine.begun.count(1), engine.begun.count(2)) == (4, 4)


def test_a_training_that_takes_too_long_is_given_up_and_its_worker_ended(run):
    engine = FakeEngine(workers=1, endless=(1,))
    outcomes = run(engine, range(3), timeout=0.2)
    assert [outcome.state for outcome in outcomes] == ["done", "timeout", "done"]
    assert outcomes[1].failure == "not done after 0.2 seconds"
    assert 0.2 <= outcomes[1].seconds < 5
    assert len(engine.started) == 2


def test_workers_that_cannot_start_are_no_cell_s_fault():
    engine = FakeEngine(stillborn=1)
    with Pool(engine, None, lambda job, outcome: None) as pool:
        for number in range(2):  # at once, and what is asked for afterwards
            with pytest.raises(UserError, match="ended before its first one: no memory"):
                pool.submit(job(number)).result(20)
    assert engine.begun == []


def test_one_that_cannot_start_is_replaced_where_deaths_are_expected(run):
    assert [each.state for each in run(FakeEngine(retries=1, stillborn=1), [3])] == ["done"]


def test_an_outcome_that_cannot_be_kept_ends_everything():
    def full(job, outcome):
        raise UserError("disk full")

    with Pool(FakeEngine(workers=1), None, full) as pool:
        futures = [pool.submit(job(number)) for number in range(3)]
        for future in futures:
            with pytest.raises(UserError, match="disk full"):
                future.result(20)


def test_closing_tells_those_who_wait():
    engine = FakeEngine(endless=(0,))
    pool = Pool(engine, None, lambda job, outcome: None)
    futures = [pool.submit(job(number)) for number in (0, 0, 0)]
    threading.Timer(0.2, pool.close).start()
    for future in futures:
        with pytest.raises(UserError, match="interrupted"):
            future.result(20)
