"""Whatever a message quotes, and wherever it goes: one line that steers no terminal."""

from __future__ import annotations

import io
import random
import sys

import pytest
from rich.progress import TextColumn

from gnn_nas.cli.common import run_guarded
from gnn_nas.config_file import load
from gnn_nas.errors import UserError
from gnn_nas.progress import Progress
from gnn_nas.search.methods import get_method
from gnn_nas.terminal import printable

ENCODINGS = ("ascii", "cp1252", "latin-1", "koi8-r", "cp437", "shift_jis", "utf-8", "utf-16")

UGLY = {
    "colours": "\x1b[31mred\x1b[0m",
    "a title": "\x1b]0;owned\x07",
    "the screen": "\x1b[2J\x1b[H",
    "a link": "\x1b]8;;http://x\x1b\\x\x1b]8;;\x1b\\",
    "eight bits": "\x9b31m\x90q\x9c",
    "NUL": "a\0b",
    "backspaces": "safe\b\b\b\bevil",
    "a carriage return": "safe\revil",
    "lines": "a\nerror: b\r\n\v\fc\x1c\x1d\x1e\x85\u2028d\u2029e",
    "directions": "\u202eevil\u2066\u2069\u200f",
    "no width": "a\u200b\u200d\ufeffb",
    "surrogates": "\ud800\udcff\udfff",
    "private and unassigned": "\ue000\U000e0001\U0010ffff",
    "tags": "\U000e0041\U000e007f",
    "tables": "0.5 ± 0.1 – − × ← … τ ρ",
    "letters": "日本語 é ñ ß Ω",
    "emoji": "🙂👨‍👩‍👧",
    "marks": "a" + "\u0301" * 50,
    "markup": "[bold red]x[/] [/nothing]",
    "formats": "%s %(x)s {} {x} \\x1b",
    "long": "x" * 100_000,
}


def drawn(seed: int) -> str:
    draw = random.Random(seed)
    ranges = [(0, 32), (127, 160), (0x2000, 0x2070), (0xD800, 0xE000), (32, 0x250), (0, 0x110000)]
    return "".join(chr(draw.randrange(*draw.choice(ranges))) for _ in range(draw.randint(1, 60)))


TEXTS = UGLY | {f"drawn {seed}": drawn(seed) for seed in range(60)}


def said(monkeypatch, encoding: str, command) -> tuple[int, str, str]:
    """Status, standard output and standard error of a command on a terminal of an encoding."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="") for _ in range(2)]
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stdout", streams[0])
        patched.setattr(sys, "stderr", streams[1])
        status = run_guarded(command)
    for stream in streams:
        stream.flush()
    return status, *(stream.buffer.getvalue().decode(encoding) for stream in streams)


@pytest.mark.parametrize("kind", TEXTS)
def test_a_message(monkeypatch, kind):
    def refuse() -> None:
        raise UserError(f"{TEXTS[kind]}: cannot be read")

    for encoding in ENCODINGS:
        status, out, err = said(monkeypatch, encoding, refuse)
        assert (status, out) == (2, "")
        (line,) = err.splitlines()
        assert line.startswith("error: ")
        assert line.endswith(": cannot be read")
        assert line.isprintable()


@pytest.mark.parametrize("kind", TEXTS)
def test_a_result(monkeypatch, kind):
    text = TEXTS[kind]
    for encoding in ENCODINGS:
        status, out, err = said(monkeypatch, encoding, lambda: print(text))
        assert (status, err) == (0, "")
        lines = out.split("\n")
        assert len(lines) == text.count("\n") + 2
        assert all(line.isprintable() for line in lines)
    # Nothing of it is lost: the last encoding has it all.
    assert [printable(line) for line in text.split("\n")] == lines[:-1]


@pytest.mark.parametrize("kind", TEXTS)
def test_what_is_going_on(capsys, kind):
    with Progress(TextColumn("{task.completed}")) as shown:
        task = shown.add_task(TEXTS[kind], total=2)
        shown.update(task, description=TEXTS[kind], completed=1)
        shown.say(shown._line(shown.tasks[0]))
    said_ = capsys.readouterr().err
    assert all(line.isprintable() for line in said_.split("\n"))
    assert said_.startswith(printable(TEXTS[kind]))


@pytest.mark.parametrize("kind", TEXTS)
def test_a_setting(refuses, kind):
    settings = get_method("nao").Settings

    def main(_: list[str]) -> int:
        return run_guarded(lambda: load(settings, {}, [f"{TEXTS[kind]}x=1"]))

    refuses(main)
