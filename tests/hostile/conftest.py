"""What every hostile input is held to: one line, soon, in little memory.

``bin/test -m hostile`` runs all of them; without it every tenth runs, always the same ones.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gnn_nas.errors import UserError

_SHARE = 10
_MOST_SECONDS, _MOST_MB = 60, 3000


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what lies in this folder, and keep a share of it where it was not asked for."""
    here = Path(__file__).parent
    hostile = [item for item in items if here in item.path.parents]
    for item in hostile:
        item.add_marker("hostile")
    if "hostile" in config.option.markexpr or any("::" in name for name in config.args):
        return
    left_out = {item for number, item in enumerate(hostile) if number % _SHARE}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _limits() -> Iterator[None]:
    """Fail a test that hangs or that takes more memory than anything here needs."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"no answer within {_MOST_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(_MOST_SECONDS)
    # Linux then counts the peak from here on.
    Path("/proc/self/clear_refs").write_text("5")
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    assert peak < _MOST_MB, f"{peak:.0f} MB"


@pytest.fixture
def refuses(capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """Gives ``check(main, *arguments)``: the command refuses in one plain line, which is returned.

    ``main`` is that of a command in `gnn_nas.cli`; arguments may be paths.
    """

    def check(main: Callable[[list[str]], int], *arguments: object) -> str:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert status == 2, (status, out, err)
        (line,) = err.splitlines()
        assert line.startswith("error: ")
        assert line.isprintable(), repr(line)
        return line

    return check


@pytest.fixture(scope="session")
def damaged() -> Callable[[bytes, int], bytes]:
    """Gives ``damage(content, seed)``: what a disk, a copy or a hand may make of a file."""

    def damage(content: bytes, seed: int) -> bytes:
        draw = random.Random(seed)
        changed = bytearray(content)
        place, length = draw.randrange(len(content)), draw.randrange(1, 64)
        match seed % 8:
            case 0 | 1 | 2:
                changed[place] ^= 1 << draw.randrange(8)
            case 3:
                for _ in range(8):
                    changed[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
            case 4:
                del changed[place:]
            case 5:
                changed[place : place + length] = bytes(length)
            case 6:
                del changed[place : place + length]
            case 7:
                changed[place:place] = draw.randbytes(length)
        return bytes(changed)

    return damage


@pytest.fixture(scope="session")
def refusal() -> Callable[..., str]:
    """Gives ``message(function, *arguments)``: the one line of a refusal, or an empty text."""

    def call(function: Callable[..., object], *arguments: object) -> str:
        message = ""
        try:
            function(*arguments)
        except UserError as error:
            message = str(error)
        assert len(message.splitlines()) == bool(message)
        return message

    return call


@pytest.fixture
def put_instead() -> Callable[[Path, str], None]:
    """Gives ``put(path, kind)``: what lies there then is no regular file, or one of a few bytes.

    ``kind`` is folder, pipe, /dev/zero, loop or nowhere, else the text of the file.
    """

    def put(path: Path, kind: str) -> None:
        path.unlink(missing_ok=True)
        match kind:
            case "folder":
                path.mkdir()
            case "pipe":
                os.mkfifo(path)
            case "/dev/zero":
                path.symlink_to(kind)
            case "loop" | "nowhere":
                path.symlink_to(path.name if kind == "loop" else "absent")
            case _:
                path.write_text(kind)

    return put
