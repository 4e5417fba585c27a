"""The pool with workers that live in this process and do what they are told."""

import threading
import time

import pytest

from gnn_nas.errors import UserError
from gnn_nas.parallel.pool import JobLost, Pool, TimedOut, WorkerDied


class FakeEngine:
    """Workers that die of the jobs in ``deadly``, as often as it says, and hang in ``endless``."""

    lag = 0.0

    def __init__(self, workers=2, retries=0, deadly=None, endless=(), stillborn=0, wrong=()):
        self.workers = workers
        self.retries = retries
        self.deadly = deadly or {}
        self.endless = endless
        self.stillborn = stillborn
        self.wrong = wrong
        self.started: list[FakeWorker] = []
        self.begun: list[int] = []
        self.most_at_once = 0
        self.closed = False

    def start(self):
        self.started.append(FakeWorker(self))
        return self.started[-1]

    def end(self, workers):
        for worker in workers:
            worker.ended.set()

    def close(self):
        assert all(worker.ended.is_set() for worker in self.started)
        self.closed = True


class FakeWorker:
    def __init__(self, engine):
        self.engine = engine
        self.job = None
        self.ended = threading.Event()

    def begin(self, job):
        assert not self.ended.is_set()
        self.job = job
        self.engine.begun.append(job)
        busy = [each for each in self.engine.started if each.job is not None]
        self.engine.most_at_once = max(self.engine.most_at_once, len(busy))

    def take(self, seconds):
        time.sleep(0.001)
        job, self.job = self.job, None
        if job in self.engine.endless:
            if self.ended.wait(seconds):
                raise WorkerDied("ended")
            raise TimedOut(f"not done after {seconds:g} seconds")
        if job is None:
            if self.engine.stillborn:
                self.engine.stillborn -= 1
                raise WorkerDied("no memory")
            return None, None
        if self.engine.deadly.get(job):
            self.engine.deadly[job] -= 1
            raise WorkerDied("killed")
        if job in self.engine.wrong:
            return None, ValueError("wrong")
        return 10 * job, None


@pytest.fixture
def run():
    """Gives what became of some jobs: their results, or what was raised."""

    def call(engine, jobs, **options):
        kept = []

        def keep(job, result):
            kept.append((job, result))
            return result

        with Pool(engine, keep=keep, **options) as pool:
            futures = [pool.submit(job) for job in jobs]
            ends = [future.exception(20) or future.result() for future in futures]
            assert pool.done == len(jobs)
            assert pool.running == 0
        assert engine.closed
        said = [(job, end) for job, end in zip(jobs, ends, strict=True) if job not in engine.wrong]
        assert sorted(kept, key=str) == sorted(said, key=str)
        return ends

    return call


def test_jobs_are_done_in_order_by_as_many_workers_as_there_are(run):
    engine = FakeEngine(workers=1)
    assert run(engine, range(20)) == list(range(0, 200, 10))
    assert engine.begun == list(range(20))
    engine = FakeEngine(workers=3)
    assert run(engine, range(20)) == list(range(0, 200, 10))
    assert sorted(engine.begun) == list(range(20))
    assert len(engine.started) == 3
    assert 1 <= engine.most_at_once <= 3


def test_no_more_workers_are_started_than_are_needed(run):
    engine = FakeEngine(workers=8)
    run(engine, [5])
    assert len(engine.started) == 1


def test_workers_that_take_long_to_start_do_so_beside_each_other(run):
    engine, both = FakeEngine(workers=2), threading.Barrier(2)
    start = engine.start

    def slow_start():
        both.wait(20)
        return start()

    engine.start = slow_start
    assert run(engine, range(2)) == [0, 10]


def test_one_that_is_started_while_the_pool_closes_is_ended():
    engine, begun, closing = FakeEngine(), threading.Event(), threading.Event()
    start = engine.start

    def late_start():
        begun.set()
        assert closing.wait(20)
        return start()

    def end(workers):
        closing.set()
        for worker in workers:
            worker.ended.set()

    engine.start, engine.end = late_start, end
    pool = Pool(engine)
    future = pool.submit(1)
    assert begun.wait(20)
    pool.close()  # looks whether all have ended
    with pytest.raises(UserError, match="interrupted"):
        future.result(20)
    assert len(engine.started) == 1
    assert engine.begun == []


def test_workers_may_be_started_before_there_is_a_job(run):
    engine = FakeEngine(workers=2)
    with Pool(engine, early=2):
        assert len(engine.started) == 2
    run(engine := FakeEngine(workers=2), range(6), early=2)
    assert len(engine.started) == 2


def test_a_worker_may_be_for_one_job_alone(run):
    engine = FakeEngine(workers=2)
    assert run(engine, range(5), fresh=True) == [0, 10, 20, 30, 40]
    assert len(engine.started) == 5


def test_a_worker_s_death_is_the_job_s_where_nothing_is_tried_again(run):
    engine = FakeEngine(deadly={1: 1})
    ends = run(engine, range(4))
    assert [*ends[:1], *ends[2:]] == [0, 20, 30]
    assert isinstance(ends[1], WorkerDied)
    assert str(ends[1]) == "killed"
    assert engine.begun.count(1) == 1


def test_a_job_is_tried_again_elsewhere_a_few_times(run):
    engine = FakeEngine(retries=3, deadly={1: 3, 2: 4})
    ends = run(engine, range(4))
    assert [type(end) for end in ends] == [int, int, WorkerDied, int]
    assert (engine.begun.count(1), engine.begun.count(2)) == (4, 4)


def test_a_job_that_takes_too_long_is_given_up_and_its_worker_ended(run):
    engine = FakeEngine(workers=1, endless=(1,))
    ends = run(engine, range(3), timeout=0.2)
    assert [type(end) for end in ends] == [int, TimedOut, int]
    assert str(ends[1]) == "not done after 0.2 seconds"
    assert 0.2 <= ends[1].seconds < 5
    assert len(engine.started) == 2


def test_what_the_work_raises_is_the_job_s(run):
    engine = FakeEngine(workers=1, wrong=(1,))
    ends = run(engine, range(3))
    assert [type(end) for end in ends] == [int, ValueError, int]
    assert len(engine.started) == 1


def test_what_is_kept_is_what_is_given():
    def keep(job, result):
        return "lost" if isinstance(result, JobLost) else -result

    with Pool(FakeEngine(deadly={1: 1}), keep=keep) as pool:
        assert [pool.submit(job).result(20) for job in range(3)] == [0, "lost", -20]


def test_workers_that_cannot_start_are_no_job_s_fault():
    engine, kept = FakeEngine(stillborn=1), []
    with Pool(engine, keep=lambda *each: kept.append(each)) as pool:
        for job in range(2):  # at once, and what is asked for afterwards
            with pytest.raises(UserError, match="ended before its first job: no memory"):
                pool.submit(job).result(20)
    assert engine.begun == kept == []


def test_one_that_cannot_start_is_replaced_where_deaths_are_expected(run):
    assert run(FakeEngine(retries=1, stillborn=1), [3]) == [30]


def test_a_result_that_cannot_be_kept_ends_everything():
    def full(job, result):
        raise UserError("disk full")

    with Pool(FakeEngine(workers=1), keep=full) as pool:
        for future in [pool.submit(job) for job in range(3)]:
            with pytest.raises(UserError, match="disk full"):
                future.result(20)


def test_closing_tells_those_who_wait():
    engine = FakeEngine(endless=(0,))
    pool = Pool(engine)
    futures = [pool.submit(0) for _ in range(3)]
    while not all(future.running() for future in futures[:2]):
        time.sleep(0.001)
    assert not futures[2].running()
    closing = threading.Timer(0.1, pool.close)
    closing.start()
    for future in futures:
        with pytest.raises(UserError, match="interrupted"):
            future.result(20)
    closing.join()
    assert engine.closed
