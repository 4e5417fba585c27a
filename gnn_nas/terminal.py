"""What reaches the user's terminal: text that it can show, whatever files and keys are called."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

# For terminals that know little more than ASCII.
_SIMPLER = str.maketrans(
    {"–": "-", "−": "-", "±": "+-", "×": "x", "←": "<-", "…": "...", "τ": "tau", "ρ": "rho"}
)


class OutputLost(Exception):
    """Standard output takes no more: its reader has gone, or its disk is full.

    Args:
        error: the system's.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror)
        self.reader_has_gone = isinstance(error, BrokenPipeError)


def printable(text: str) -> str:
    """Text on one line; what steers a terminal, or is no character, is written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Shown:
    """A stream for people: lines of it are made `printable`, and are written in its encoding.

    Args:
        stream: where they go; None, as Python has it where the stream is closed, for nowhere.
        required: whether that nothing can be written is an `OutputLost`, not only a pity.
        escaped: whether lines are made printable; a progress bar steers the terminal itself.
    """

    def __init__(self, stream: TextIO | None, required: bool, escaped: bool = True) -> None:
        self._stream = stream or io.StringIO()
        self._required = required
        self._escaped = escaped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def unescaped(self) -> Shown:
        """The same stream for what steers the terminal."""
        return Shown(self._stream, self._required, escaped=False)

    def write(self, text: str) -> int:
        """Write text. Raises OutputLost."""
        shown = "\n".join(map(printable, text.split("\n"))) if self._escaped else text
        with self._noticing_loss():
            self._stream.write(_encodable(shown, self._stream.encoding or "utf-8"))
        return len(text)

    def flush(self) -> None:
        """Send on what was written. Raises OutputLost."""
        with self._noticing_loss():
            self._stream.flush()

    @contextmanager
    def _noticing_loss(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if self._required:
                raise OutputLost(error) from None


@contextmanager
def shown_output() -> Iterator[None]:
    """Let all that a block prints go through `Shown`. Raises OutputLost, at its end at the latest.

    What standard error cannot take is dropped: there is nobody else to tell it to.
    """
    out, err = Shown(sys.stdout, required=True), Shown(sys.stderr, required=False)
    with redirect_stdout(out), redirect_stderr(err):
        try:
            yield
        finally:
            out.flush()


def _encodable(text: str, encoding: str) -> str:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_SIMPLER).encode(encoding, "backslashreplace").decode(encoding)
    return text
