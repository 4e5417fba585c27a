"""A terminal has bars; a log has a plain line now and then, and nothing of what is soon done."""

import io
import time

import pytest
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from gnn_nas import progress
from gnn_nas.progress import Description, Progress, working


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(progress, "_EVERY", 0.05)


def test_a_log_has_a_line_now_and_then(often, capsys):
    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}")
    with Progress(*columns, TimeRemainingColumn()) as shown:
        task = shown.add_task("step", total=100, pace="")
        shown.add_task("later", total=100, start=False, pace="")
        shown.update(task, completed=40, pace="9.1 steps/s")
        time.sleep(0.2)
        said = capsys.readouterr().err.splitlines()
    assert len(said) >= 2
    assert set(said) == {"step 40/100 9.1 steps/s -:--:-- left"}


def test_what_works_without_an_end_is_named(often, capsys):
    with working("opening the search space"):
        time.sleep(0.2)
    said = capsys.readouterr().err.splitlines()
    assert len(said) >= 2
    assert set(said) == {"opening the search space 0:00:00"}


def test_what_is_soon_done_says_nothing(capsys):
    with working("opening the search space"):
        pass
    assert capsys.readouterr() == ("", "")


def test_what_fails_has_its_error_alone(capsys):
    with pytest.raises(ZeroDivisionError), Progress(Description()) as shown:  # noqa: PT012
        shown.add_task("step", total=2)
        raise ZeroDivisionError
    assert capsys.readouterr() == ("", "")


def test_names_may_have_brackets_and_cannot_steer_the_terminal(often, capsys):
    with Progress(Description()) as shown:
        task = shown.add_task("[/] \x1b[31m", total=1)
        time.sleep(0.1)
        shown.say("[bold]\x1b[2J")
        shown.update(task, description="[red]\x00", completed=1)
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\x00" not in said
    for text in (r"[/] \x1b[31m", r"[bold]\x1b[2J", r"[red]\x00"):
        assert text in said


def test_a_terminal_has_bars_and_no_plain_lines(often, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Progress(Description(), BarColumn()) as shown:
        shown.add_task("step", total=2)
        time.sleep(0.2)
    assert "\x1b[" in terminal.getvalue()
    assert "━" in terminal.getvalue()
