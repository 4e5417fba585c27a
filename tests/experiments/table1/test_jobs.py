import os
import threading
import time
from pathlib import Path

import pytest

from gnn_nas.errors import UserError
from gnn_nas.experiments.table1.jobs import run_jobs
from gnn_nas.files import write_text
from gnn_nas.parallel.commands import run_command
from gnn_nas.parallel.local import LocalEngine
from gnn_nas.parallel.pool import WorkerDied
from tests.helpers.made_up_command import Stopping


def local(workers: int) -> LocalEngine:
    return LocalEngine(run_command, workers)


def test_a_job_is_begun_when_what_it_needs_is_finished(make, tmp_path):
    first = make("first")
    jobs = [make("second", "work", first), first]
    assert run_jobs(jobs, local(2), tmp_path / "logs") == []
    begun = (jobs[0].folder.path / "pid0").stat().st_mtime
    assert begun >= first.folder.summary.stat().st_mtime
    assert first.noted("pid0") != jobs[0].noted("pid0")
    assert (tmp_path / "logs" / "first.log").read_text() == "begun\n"


def test_a_finished_job_is_left_alone(make, tmp_path):
    job = make("done", "fail")
    job.folder.path.mkdir()
    job.folder.summary.write_text('{"steps": 1}')
    assert run_jobs([job], local(1), tmp_path / "logs") == []
    assert not (tmp_path / "logs").exists()


def test_others_go_on_when_a_job_fails_but_not_those_that_need_it(make, tmp_path, capsys):
    failing = make("failing", "fail")
    needing, other = make("needing", "work", failing), make("other")
    jobs = [failing, needing, other]
    assert run_jobs(jobs, local(1), tmp_path / "logs") == [failing, needing]
    assert other.folder.finished
    assert not needing.folder.path.exists()
    shown = capsys.readouterr().err
    assert "failing: error: no luck\n" in shown
    assert "needing: not begun, as it needs failing\n" in shown


def test_a_killed_command_is_not_begun_again_here(make, tmp_path, capsys):
    job = make("job", "die-once")
    assert run_jobs([job], local(1), tmp_path / "logs") == [job]
    shown = capsys.readouterr().err
    assert "job: the process was killed by signal 9, perhaps for want of memory" in shown
    assert not job.noted("pid1")


def test_ctrl_c_leaves_no_process(make, tmp_path):
    jobs = [make("hanging", "hang", kind=Stopping), make("too", "hang")]
    with pytest.raises(KeyboardInterrupt):
        run_jobs(jobs, local(2), tmp_path / "logs")
    assert (jobs[0].folder.path / "interrupted").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(jobs[0].noted("pid0")), 0)


def test_logs_that_cannot_be_written_are_told(make, tmp_path):
    (tmp_path / "logs").touch()
    with pytest.raises(UserError, match=r"cannot write .*job\.log"):
        run_jobs([make("job")], local(1), tmp_path / "logs")


class Elsewhere:
    """An engine whose processes die, or whose files take their time."""

    workers, retries = 1, 2

    def __init__(self, deaths: int = 0, delay: float = 0.0, lag: float = 0.0) -> None:
        self.deaths, self.delay, self.lag = deaths, delay, lag
        self.runs = 0
        self.closed = False

    def start(self):
        return ElsewhereWorker(self)

    def end(self, workers):
        pass

    def close(self):
        self.closed = True


class ElsewhereWorker:
    def __init__(self, engine):
        self.engine = engine
        self.begun = False

    def begin(self, command):
        self.begun = True
        self.engine.runs += 1
        with command.log.open("a") as stream:
            stream.write(f"run {self.engine.runs}\n")
        if self.engine.runs > self.engine.deaths:
            timer = threading.Timer(self.engine.delay, self.write, [Path(command.options[0])])
            timer.daemon = True
            timer.start()

    def take(self, seconds):
        if self.begun and self.engine.runs <= self.engine.deaths:
            raise WorkerDied("the machine is gone")
        return (0 if self.begun else None), None

    @staticmethod
    def write(folder):
        folder.mkdir(exist_ok=True)
        write_text(folder / "summary.json", '{"steps": 1}')


def test_a_job_is_begun_again_when_its_process_dies(make, tmp_path):
    engine = Elsewhere(deaths=2, lag=60)
    assert run_jobs([make("job"), make("other")], engine, tmp_path / "logs") == []
    logs = [(tmp_path / "logs" / f"{name}.log").read_text() for name in ("job", "other")]
    # Which of the two comes first is chance.
    assert [log.count("run") for log in logs] in ([3, 1], [1, 3], [2, 2])
    assert sorted("".join(logs).split("\n")) == ["", "run 1", "run 2", "run 3", "run 4"]
    assert engine.closed


def test_a_job_whose_processes_keep_dying_is_given_up(make, tmp_path, capsys):
    job, engine = make("job"), Elsewhere(deaths=9)
    assert run_jobs([job], engine, tmp_path / "logs") == [job]
    assert engine.runs == 3
    assert "job: the machine is gone" in capsys.readouterr().err


@pytest.mark.slow
def test_files_may_come_late_but_not_never(make, tmp_path, capsys):
    late, never = make("late"), make("never")
    assert run_jobs([late], Elsewhere(delay=1, lag=400), tmp_path / "logs") == []
    begun = time.monotonic()
    assert run_jobs([never], Elsewhere(delay=400, lag=1), tmp_path / "logs") == [never]
    assert time.monotonic() - begun > 1
    told = f"never: ended, but {never.folder.summary} is not here\n"
    assert told in capsys.readouterr().err
