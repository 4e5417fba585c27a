import time

import pytest

from gnn_nas.errors import UserError
from gnn_nas.experiments.table1.engines.local import LocalEngine
from gnn_nas.experiments.table1.jobs import ProcessDied, run_jobs


def test_a_job_is_begun_when_what_it_needs_is_finished(make, tmp_path):
    first = make("first")
    jobs = [make("second", "work", first), first]
    assert run_jobs(jobs, LocalEngine(2), tmp_path / "logs") == []
    begun = (jobs[0].folder.path / "pid0").stat().st_mtime
    assert begun >= first.folder.summary.stat().st_mtime


def test_a_finished_job_is_left_alone(make, tmp_path):
    job = make("done", "fail")
    job.folder.path.mkdir()
    job.folder.summary.write_text('{"steps": 1}')
    assert run_jobs([job], LocalEngine(1), tmp_path / "logs") == []
    assert not (tmp_path / "logs").exists()


def test_others_go_on_when_a_job_fails_but_not_those_that_need_it(make, tmp_path, capsys):
    failing = make("failing", "fail")
    needing, other = make("needing", "work", failing), make("other")
    jobs = [failing, needing, other]
    assert run_jobs(jobs, LocalEngine(1), tmp_path / "logs") == [failing, needing]
    assert other.folder.finished
    assert not needing.folder.path.exists()
    shown = capsys.readouterr().err
    assert "failing: error: no luck\n" in shown
    assert "needing: not begun, as it needs failing\n" in shown


def test_logs_that_cannot_be_written_are_told(make, tmp_path):
    (tmp_path / "logs").touch()
    with pytest.raises(UserError, match=r"cannot write .*job\.log"):
        run_jobs([make("job")], LocalEngine(1), tmp_path / "logs")


class Elsewhere:
    """An engine whose processes die, or whose files take their time."""

    at_once, retries = 1, 2

    def __init__(self, deaths: int = 0, delay: float = 0.0, lag: float = 0.0) -> None:
        self.deaths, self.delay, self.lag = deaths, delay, lag
        self.started = 0
        self.closed = False

    def start(self, job, log):
        self.started += 1
        self.job, self.begun = job, time.monotonic()
        with log.open("a") as stream:
            stream.write(f"run {self.started}\n")
        return self

    def status(self) -> int:
        if self.started <= self.deaths:
            raise ProcessDied("the machine is gone")
        if time.monotonic() - self.begun > self.delay:
            self.job.folder.path.mkdir(exist_ok=True)
            self.job.folder.summary.write_text('{"steps": 1}')
        return 0

    def end(self, processes) -> None:
        self.left = len(processes)

    def close(self) -> None:
        self.closed = True


def test_a_job_is_begun_again_when_its_process_dies(make, tmp_path):
    engine = Elsewhere(deaths=2)
    assert run_jobs([make("job"), make("other")], engine, tmp_path / "logs") == []
    assert (tmp_path / "logs" / "job.log").read_text() == "run 1\nrun 2\nrun 3\n"
    assert (tmp_path / "logs" / "other.log").read_text() == "run 4\n"
    assert engine.closed
    assert engine.left == 0


def test_a_job_whose_processes_keep_dying_is_given_up(make, tmp_path, capsys):
    job, engine = make("job"), Elsewhere(deaths=9)
    assert run_jobs([job], engine, tmp_path / "logs") == [job]
    assert engine.started == 3
    assert "job: the machine is gone\n" in capsys.readouterr().err


def test_files_may_come_late_but_not_never(make, tmp_path, capsys):
    late, never = make("late"), make("never")
    assert run_jobs([late], Elsewhere(delay=1, lag=400), tmp_path / "logs") == []
    begun = time.monotonic()
    assert run_jobs([never], Elsewhere(delay=400, lag=1), tmp_path / "logs") == [never]
    assert time.monotonic() - begun > 1
    told = f"never: ended, but {never.folder.summary} is not here\n"
    assert told in capsys.readouterr().err


def test_an_interrupted_engine_is_closed(make, tmp_path):
    class Interrupted(Elsewhere):
        def status(self) -> int:
            raise KeyboardInterrupt

    engine = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        run_jobs([make("job")], engine, tmp_path / "logs")
    assert engine.left == 1
    assert engine.closed
