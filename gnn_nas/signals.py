"""Ctrl-C, and the SIGTERM with which SLURM and containers end a process."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

_ENDING = (signal.SIGINT, signal.SIGTERM)
# Seconds within which another signal is an echo of the first: a terminal and a launcher send both.
_ECHO = 1.0


class Terminated(KeyboardInterrupt):
    """SIGTERM was received: whatever cleans up after Ctrl-C cleans up after it."""


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM raise `Terminated` within a block, as Ctrl-C raises ``KeyboardInterrupt``."""
    before = _handle(_raise_terminated, (signal.SIGTERM,))
    try:
        yield
    finally:
        _restore(before)


class HeldSignals:
    """Holds Ctrl-C and SIGTERM back within a block, at whose end they do what they did before.

    One that comes again, more than a second later, does so at once. In a thread other than the
    main one, which signals never reach, nothing is held.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        """The first signal that has come."""
        self._at = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = _handle(self._hold, _ENDING)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        _restore(self._before)
        if self.received and kind is None:
            signal.raise_signal(self.received)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received, self._at = signal.Signals(number), time.monotonic()
        elif time.monotonic() - self._at > _ECHO:
            _restore(self._before)
            signal.raise_signal(number)


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _handle(handler: Callable, numbers: tuple[signal.Signals, ...]) -> dict[signal.Signals, Any]:
    """Let signals call ``handler``, and give what they did before."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    before = {number: signal.getsignal(number) for number in numbers}
    # What was started deaf to a signal, as by nohup, stays so.
    taken = {n: old for n, old in before.items() if old not in (signal.SIG_IGN, None)}
    for number in taken:
        signal.signal(number, handler)
    return taken


def _restore(before: dict[signal.Signals, Any]) -> None:
    for number, old in before.items():
        signal.signal(number, old)
