"""A line of the store: its columns, its checksum, and what can be in it."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple, Self, get_args

from crc32c import crc32c

from gnn_nas.files import to_json
from gnn_nas.tasks.training_job import Purpose, State, TrainingJob, TrainingRecord

# Those that give a reward, or of a test its figures; the others say why they failed.
_WELL = ("done", "stopped")


class Line(NamedTuple):
    """What came of a training, as SQLite holds it, in the order of the table's columns."""

    hash: str
    task: str
    purpose: str
    seed: int
    state: State
    reward: float | None
    metrics: str
    seconds: float
    failure: str | None
    weights: bytes | None

    @classmethod
    def of(cls, job: TrainingJob, task: str, outcome: TrainingRecord) -> Self:
        """The line of a training for the task with this fingerprint."""
        return cls(
            job.module_hash,
            task,
            job.purpose,
            job.seed,
            outcome.state,
            None if outcome.reward is None else float(outcome.reward),
            to_json(outcome.metrics),
            float(outcome.seconds),
            outcome.failure,
            outcome.weights,
        )

    @property
    def checksum(self) -> int:
        """CRC-32C of all columns."""
        *others, weights = self
        return crc32c(weights or b"", crc32c(to_json(others).encode()))

    def outcome(self) -> TrainingRecord:
        """What came of the training."""
        # JSON has no NaN: it is written as null.
        metrics = {
            name: math.nan if value is None else value
            for name, value in json.loads(self.metrics).items()
        }
        return TrainingRecord(
            self.state, self.seconds, self.reward, metrics, self.failure, self.weights
        )

    def refuse_impossible(self) -> None:
        """Raise ``ValueError``, which names the column, for what no training leaves."""
        well = self.state in _WELL
        possible = {
            "hash": isinstance(self.hash, str) and re.fullmatch("[0-9a-f]{32}", self.hash),
            "task": isinstance(self.task, str),
            "purpose": self.purpose in get_args(Purpose),
            "seed": type(self.seed) is int and self.seed >= 0,
            "state": self.state in get_args(State),
            "reward": _is_finite(self.reward) == (well and self.purpose == "search")
            and (self.reward is None or _is_finite(self.reward)),
            "metrics": _are_figures(self.metrics),
            "seconds": _is_finite(self.seconds) and self.seconds >= 0,
            "failure": self.failure is None if well else isinstance(self.failure, str),
            "weights": isinstance(self.weights, bytes | None),
        }
        for name, is_possible in possible.items():
            if not is_possible:
                raise ValueError(f"the {name} of {self.hash!r:.40} is impossible")


def _is_finite(value: Any) -> bool:
    return type(value) is float and math.isfinite(value)


def _are_figures(text: Any) -> bool:
    """Whether this is JSON of numbers and texts by name, null for those that are not known."""
    try:
        figures: Any = json.loads(text) if isinstance(text, str) else None
        values = [each for each in figures.values() if not isinstance(each, str | None)]
        return all(type(each) in (int, float) and math.isfinite(each) for each in values)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        return False
