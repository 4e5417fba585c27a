"""What Ctrl-C and SIGTERM do, and when."""

import signal
import threading
import time

import pytest

from gnn_nas import signals
from gnn_nas.signals import HeldSignals, Terminated, terminated_as_interrupted


def test_sigterm_is_an_interruption_within_the_block_alone():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), terminated_as_interrupted():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
    assert issubclass(Terminated, KeyboardInterrupt)


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_held_signal_acts_at_the_end_of_the_block(number, raised):
    reached = []
    with pytest.raises(raised) as stop, terminated_as_interrupted():  # noqa: PT012
        with HeldSignals() as held:
            assert held.received is None
            signal.raise_signal(number)
            reached.append(held.received)
        reached.append("never")
    assert reached == [number]
    assert type(stop.value) is raised


def test_an_echo_is_held_too_but_not_a_second_signal(monkeypatch):
    reached = []
    with pytest.raises(KeyboardInterrupt), HeldSignals():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        reached.append("after the echo")
        monkeypatch.setattr(signals, "_ECHO", 0.01)
        time.sleep(0.02)
        signal.raise_signal(signal.SIGINT)
        reached.append("never")
    assert reached == ["after the echo"]


def test_what_a_block_raises_itself_comes_first():
    with pytest.raises(ZeroDivisionError), HeldSignals():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_what_was_started_deaf_stays_deaf():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with HeldSignals() as held:
            signal.raise_signal(signal.SIGINT)
        assert held.received is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_hold_nothing():
    held = []

    def enter() -> None:
        with HeldSignals() as signals_:
            held.append(signals_.received)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert held == [None]
