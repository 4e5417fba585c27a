"""What a task is: how good a cell is for someone's data, found by training it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from gnn_nas.spaces.packed import PackedCells
    from gnn_nas.tasks.network_size import NetworkConfig

METRICS = ("accuracy", "parameters", "latency")
"""What histories, pictures and tables know beside the reward; latency in milliseconds."""


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What one training of a cell gave.

    Args:
        reward: to be maximised, of data that was not trained on; NaN is a training that diverged.
        metrics: further figures by name, numbers or texts; those of `METRICS` are numbers, NaN
            where one is not known.
        stopped: whether it was cut short as hopeless.
    """

    reward: float
    metrics: dict[str, float | str] = field(default_factory=dict)
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class TestResult:
    """A training for good, judged by the data that no search saw.

    Args:
        metrics: figures by name, among them ``test``, and where it was measured ``latency``.
        weights: of the network, as a safetensors file; None where the task keeps none.
    """

    metrics: dict[str, float | str]
    weights: bytes | None = None


# What they were called, as in users' own tasks.
Training, Trained = TrainingResult, TestResult


class Diverged(Exception):
    """A training whose loss is no number any more."""


class Task(Protocol):
    """Trains cells and says how good they are; must survive pickling, and be equal then."""

    name: str
    """What it is called in folders and tables."""

    @property
    def fingerprint(self) -> str:
        """A hash of all that decides the result of a training."""

    settings: dict[str, Any]
    """What a search's ``config.yaml`` tells of it."""

    trainings: int
    """How often a cell is trained, with seeds from 0; its reward is the mean."""

    timeout: float | None
    """Seconds after which a training is given up, None for never."""

    cost: Literal["parameters", "latency"]
    """What the Pareto plot shows beside how good cells are."""

    has_test: bool
    """Whether there is data that no search sees."""

    network: NetworkConfig | None
    """Sizes of the networks that it trains, None where it does not tell."""

    def train(self, cell: PackedCells, seed: int) -> TrainingResult:
        """Train a batch of one pruned cell of any space; the same seed gives the same reward.

        Raises:
            Diverged: the training has come to nothing.
        """

    def test(self, cell: PackedCells, seed: int) -> TestResult:
        """Train it again in the same way, and judge it by the data that no search saw."""
