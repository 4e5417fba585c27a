"""Every terminal can show what is printed, and none is steered by it."""

import errno
import io
import sys

import pytest

from gnn_nas.terminal import OutputLost, Shown, printable, shown_output


class Full(io.StringIO):
    """What /dev/full is, or a pipe whose reader has gone."""

    number = errno.ENOSPC

    def write(self, text):
        raise OSError(self.number, "refused")


class Broken(Full):
    number = errno.EPIPE


def test_text_that_can_be_shown_is_left_alone():
    assert printable("Kendall τ − 0.5 ± 0.1, 日本") == "Kendall τ − 0.5 ± 0.1, 日本"


def test_what_steers_a_terminal_is_escaped():
    assert printable("\x1b[31m\x00\n\u202e\udcff\x9b") == r"\x1b[31m\x00\n\u202e\udcff\x9b"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "koi8-r", "utf-8"])
def test_every_encoding_has_lines(encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    text = "0.5 ± 0.1 – τ\n日本 \x1b\udcff\n"
    shown = Shown(stream, required=True)
    assert shown.write(text) == len(text)
    shown.flush()
    lines = stream.buffer.getvalue().decode(encoding).split("\n")
    assert len(lines) == 3
    assert "\x1b" not in lines[1]
    assert lines[0].startswith("0.5 ")
    if encoding == "ascii":
        assert lines == ["0.5 +- 0.1 - tau", r"\u65e5\u672c \x1b\udcff", ""]


def test_a_progress_bar_may_steer_it():
    stream = io.StringIO()
    Shown(stream, required=False).unescaped().write("\x1b[2K")
    assert stream.getvalue() == "\x1b[2K"


@pytest.mark.parametrize(("kind", "has_gone"), [(Full, False), (Broken, True)])
def test_lost_output_is_said(kind, has_gone):
    with pytest.raises(OutputLost, match="refused") as lost:
        Shown(kind(), required=True).write("x")
    assert lost.value.reader_has_gone == has_gone
    Shown(kind(), required=False).write("x")


def test_closed_streams_take_everything(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with shown_output():
        print("x")
        print("x", file=sys.stderr)
    assert sys.stdout is None


def test_what_lies_in_the_buffer_is_noticed(monkeypatch):
    """Python would find out when it ends, and complain at length."""

    class Late(io.StringIO):
        def flush(self):
            raise BrokenPipeError(errno.EPIPE, "gone")

    monkeypatch.setattr(sys, "stdout", Late())
    with pytest.raises(OutputLost), shown_output():
        print("x")
