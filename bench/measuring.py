"""What all measurements share: timing and the form of a result."""

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured figure, and what it was measured on."""

    name: str
    value: float
    unit: str
    condition: str = ""


def seconds(action: Callable[[], object], repeats: int = 7, warmups: int = 1) -> float:
    """Median wall-clock seconds of an action."""
    for _ in range(warmups):
        action()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return median(times)
