import pytest

from gnn_nas.cli.common import run_guarded
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
