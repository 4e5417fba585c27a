import argparse

import pytest

from gnn_nas.cli.common import refuse_below_one, refuse_given, refuse_outside, run_guarded
from gnn_nas.errors import UserError


def raising(error: BaseException):
    def command() -> None:
        raise error

    return command


def test_success_is_silent_and_zero(capsys):
    assert run_guarded(lambda: None) == 0
    assert capsys.readouterr() == ("", "")


def test_a_mistake_is_one_line_on_stderr_and_status_2(capsys):
    assert run_guarded(raising(UserError("no such\n  file"))) == 2
    assert capsys.readouterr() == ("", "error: no such file\n")


def test_an_interruption_is_one_line_and_status_130(capsys):
    assert run_guarded(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run_guarded(raising(ZeroDivisionError()))


def test_impossible_numbers_are_told_with_the_option_as_it_is_written():
    given = argparse.Namespace(per_distance=0, seed=9, jobs=None)
    refuse_below_one(given, ("seed", "jobs"))
    with pytest.raises(UserError, match=r"^--per-distance must be at least 1, not 0$"):
        refuse_below_one(given, ("per_distance",))
    refuse_outside(given, "seed", 9, 9)
    for least, most in ((10, 12), (2, 8)):
        with pytest.raises(UserError, match=rf"^--seed must be from {least} to {most}, not 9$"):
            refuse_outside(given, "seed", least, most)


def test_an_option_that_needs_another_is_refused_without_it():
    given = argparse.Namespace(job_cpus=0, task_gpus=None)
    refuse_given(given, ["task_gpus"], "--engine ray")
    with pytest.raises(UserError, match=r"^--job-cpus needs --engine ray$"):
        refuse_given(given, ["task_gpus", "job_cpus"], "--engine ray")
