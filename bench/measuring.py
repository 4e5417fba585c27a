"""What all measurements share: timing, the form of a figure, and its target."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

_PER_SECOND = {"s": 1.0, "ms": 1e3, "µs": 1e6}
# Repeats made even where they take longer than is left of the time for them.
_FEWEST = 3


@dataclass(frozen=True)
class Target:
    """The bound that a figure is to keep."""

    limit: float
    at_most: bool = True

    def met(self, value: float) -> bool:
        """Whether a value keeps the bound."""
        return value <= self.limit if self.at_most else value >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.limit:,}"


def at_most(limit: float) -> Target:
    """A bound from above."""
    return Target(limit)


def at_least(limit: float) -> Target:
    """A bound from below."""
    return Target(limit, at_most=False)


@dataclass(frozen=True)
class Figure:
    """One measured figure, and what it was measured on.

    Args:
        name: unique among the figures of the same measurement, threads and size.
        value: the median where it was measured repeatedly; None where it could not be measured.
        threads: of the process; None where that does not matter.
        lowest, highest: of the repeats.
        size: what grows, where the figure is one of a series.
    """

    name: str
    value: float | None
    unit: str = ""
    condition: str = ""
    threads: int | None = None
    repeats: int = 1
    lowest: float | None = None
    highest: float | None = None
    size: float | None = None
    target: Target | None = None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none, or no value."""
        return None if self.target is None or self.value is None else self.target.met(self.value)


@dataclass(frozen=True)
class Times:
    """Wall-clock seconds of the repeats of an action, on ``threads`` threads."""

    seconds: tuple[float, ...]
    threads: int

    @property
    def median(self) -> float:
        """The median, in seconds."""
        return median(self.seconds)

    def spent(self, name: str, unit: str = "ms", **rest: Any) -> Figure:
        """The time as a figure, in ``s``, ``ms`` or ``µs``; ``rest`` are fields of `Figure`."""
        return self._figure(name, [_PER_SECOND[unit] * each for each in self.seconds], unit, rest)

    def rate(self, name: str, count: float, unit: str, **rest: Any) -> Figure:
        """The things done in a second as a figure, where one repeat does ``count`` of them."""
        return self._figure(name, [count / each for each in self.seconds], unit, rest)

    def _figure(self, name: str, values: list[float], unit: str, rest: dict[str, Any]) -> Figure:
        return Figure(
            name,
            median(values),
            unit,
            threads=self.threads,
            repeats=len(values),
            lowest=min(values),
            highest=max(values),
            **rest,
        )


def time_of(
    action: Callable[..., object],
    repeats: int = 15,
    warmups: int = 1,
    budget: float = 10.0,
    prepare: Callable[[], object] | None = None,
    each: int = 1,
) -> Times:
    """Time an action repeatedly.

    Args:
        repeats: how often at most.
        budget: seconds after which no repeat is begun, but for the first three.
        prepare: is called before every repeat and not timed; the action gets what it returns.
        each: calls in a repeat, whose mean is taken; for what is dear once in so many calls.
    """
    import torch

    times: list[float] = []
    begun = time.perf_counter()
    for number in range(-warmups, repeats):
        if len(times) >= _FEWEST and time.perf_counter() - begun > budget:
            break
        arguments = () if prepare is None else (prepare(),)
        started = time.perf_counter()
        for _ in range(each):
            action(*arguments)
        spent = (time.perf_counter() - started) / each
        if number >= 0:
            times.append(spent)
    return Times(tuple(times), torch.get_num_threads())


def say(progress: str) -> None:
    """Tell on stderr what is being measured."""
    print(f"  {progress} ...", file=sys.stderr, flush=True)
