"""Tasks by what a user calls them: shipped, a file, or an object of a module of their own."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import math
import os
import sys
from collections.abc import Callable, Mapping
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.config import CONFIGS
from gnn_nas.config_file import read_mapping
from gnn_nas.errors import UserError, reported
from gnn_nas.references import is_reference, resolve, users_code
from gnn_nas.tasks.task import METRICS, Task, TestResult, TrainingResult

TASKS = CONFIGS / "tasks"
SHIPPED = ("digits",)
"""Tasks that come with the package."""

_MOST_TRAININGS = 1000
# Beyond it no mean of figures can be relied on to be a number.
_LARGEST = 1e30
_LONGEST_TEXT = 10_000

if TYPE_CHECKING:
    from gnn_nas.spaces.packed import PackedCells
    from gnn_nas.tasks.network_size import NetworkConfig


def load_task(reference: str) -> Task:
    """Open a shipped task, a task file or ``module:object``, its data included.

    Raises:
        UserError: there is no such task, or something of it is not as it must be.
    """
    path = Path(reference)
    if reference in SHIPPED:
        path = TASKS / f"{reference}.yaml"
    if path.suffix in (".yaml", ".yml"):
        # Before torch has loaded.
        read_mapping(path)

        from gnn_nas.tasks.image_task import ImageTask

        return ImageTask.from_file(path)
    if not is_reference(reference):
        raise UserError(
            f"--task {reference}: neither {', '.join(SHIPPED)} nor FILE.yaml nor module:object (a"
            f" file to copy and change: {TASKS / 'images.yaml'})"
        )
    return UserTask(reference)


class UserTask:
    """Rewards cells by what a user's code says; a `gnn_nas.tasks.task.Task`.

    The object is a function ``train(cell, seed)``, or has one. The cell is a batch of one
    `gnn_nas.spaces.packed.PackedCells`, whose ``space`` says what its ops are. It gives the reward,
    or a mapping of figures with ``reward`` among them, which are numbers, None or texts. The object
    may have ``test(cell, seed)``, which gives the held-out figure, or a mapping with ``test``; and
    ``trainings``, ``timeout``, ``cost``; ``network``, the `gnn_nas.tasks.network.NetworkConfig` of
    what it trains, by which a cell is exported; and ``fingerprint``, which by default is a hash of
    the module's source.

    Args:
        reference: ``module:object``.
        folder: where the module may lie, see `gnn_nas.references.resolve`.

    Raises:
        UserError: the module cannot be imported, or the object is no task.
    """

    def __init__(self, reference: str, folder: str | None = None) -> None:
        self._reference = reference
        found = resolve(reference, "--task", folder)

        def said(name: str, default: Any = None) -> Any:
            # A property is the user's code too.
            with users_code(f"--task {reference}: its {name} cannot be read"):
                return getattr(found, name, default)

        def checked(name: str, default: Any, wanted: str, is_right: Callable[[Any], bool]) -> Any:
            if not is_right(value := said(name, default)):
                raise UserError(f"--task {reference}: {name} must be {wanted}: {value!r:.100}")
            return value

        self._train = _function(reference, said("train", found))
        test = said("test")
        self.has_test = test is not None
        self._test = _function(reference, test) if self.has_test else None
        self.settings: dict[str, Any] = {"object": reference}
        self.network: NetworkConfig | None = None
        if (network := said("network")) is not None:
            from gnn_nas.tasks.network_size import NetworkConfig

            # Anything else of this name is a matter of the object's own.
            if isinstance(network, NetworkConfig):
                self.network = network
                self.settings["network"] = network.model_dump()
        self.name = reference.partition(":")[2].replace("_", "-")
        self.trainings: int = checked(
            "trainings",
            1,
            f"from 1 to {_MOST_TRAININGS}",
            lambda it: _is_number(it, int) and 1 <= it <= _MOST_TRAININGS,
        )
        self.timeout: float | None = checked(
            "timeout",
            None,
            "seconds",
            lambda it: it is None or (_is_number(it, int, float) and 0 < it < math.inf),
        )
        costs = ("parameters", "latency")
        self.cost: Any = checked(
            "cost", costs[0], " or ".join(costs), lambda it: isinstance(it, str) and it in costs
        )
        fingerprint = checked(
            "fingerprint", None, "a text or a number", lambda it: isinstance(it, str | int | None)
        )
        self.fingerprint = _text(str(fingerprint or _hash(reference)))

    def __reduce__(self) -> tuple:
        # By name: what the user's object holds need not survive pickling.
        return UserTask, (self._reference, os.getcwd())

    def train(self, cell: PackedCells, seed: int) -> TrainingResult:
        """Train a cell: see `gnn_nas.tasks.task.Task`."""
        figures = _figures(self._train(cell, seed), "reward")
        return TrainingResult(float(figures.pop("reward")), figures)

    def test(self, cell: PackedCells, seed: int) -> TestResult:
        """Judge a cell by held-out data: see `gnn_nas.tasks.task.Task`."""
        return TestResult(_figures(self._test(cell, seed), "test"))


def _function(reference: str, function: Any) -> Callable:
    if not callable(function) or inspect.isclass(function):
        raise UserError(
            f"--task {reference} is no task: neither a function (cell, seed) nor an object with a"
            " method train(cell, seed)"
        )
    try:
        inspect.signature(function).bind(None, 0)
    except TypeError as error:
        name = getattr(function, "__name__", "it")
        raise UserError(
            f"--task {reference} is no task: {name} must take (cell, seed): {error}"
        ) from None
    except ValueError:
        pass  # compiled code tells nothing of its arguments
    return function


def _figures(given: Any, main: str) -> dict[str, float | str]:
    """What a user's function gave, by name. Raises TypeError where it is no such."""
    figures = dict(given) if isinstance(given, Mapping) else {main: given}
    if main not in figures:
        raise TypeError(f"the figures have no {main}: {', '.join(map(str, figures)) or 'none'}")
    told: dict[str, float | str] = {}
    for key, value in figures.items():
        name = _text(str(key))
        if name in told:
            raise TypeError(f"two figures are called {name}")
        told[name] = _figure(name, value, is_main=name == main)
    return told


def _figure(name: str, value: Any, is_main: bool) -> float | str:
    """One figure: a number, NaN for what is not known, or a text where no number is needed."""
    must_be_number = is_main or name in METRICS
    if hasattr(value, "item"):
        # A tensor or an array of one number is one too; of several it is no figure.
        with contextlib.suppress(Exception):
            value = value.item()
    if isinstance(value, str) and not must_be_number:
        if len(value) > _LONGEST_TEXT:
            raise TypeError(f"{name} is a text of more than {_LONGEST_TEXT:,} characters")
        return _text(value)
    if value is None and not is_main:
        return math.nan
    if not isinstance(value, Real) or (must_be_number and isinstance(value, bool)):
        others = "" if must_be_number else " and no text"
        raise TypeError(f"{name} is no number{others}: {value!r:.100}")
    size: Any = abs(value)
    if _LARGEST < size < math.inf:
        raise TypeError(f"{name} is too large: its size must not exceed {_LARGEST:g}")
    number = float(value) + 0.0  # databases know no −0
    # As what is stored, where JSON has no infinities; a reward's are a divergence.
    return number if is_main or math.isfinite(number) else math.nan


def _text(text: str) -> str:
    """A text as any file takes it, and of no class of the user's."""
    return str.encode(text, "utf-8", "backslashreplace").decode()


def _is_number(value: Any, *kinds: type) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


def _hash(reference: str) -> str:
    digest = hashlib.sha256(reference.encode())
    module = sys.modules.get(reference.partition(":")[0])
    if path := getattr(module, "__file__", None):
        with reported(f"--task {reference}: cannot read {path}"):
            digest.update(Path(path).read_bytes())
    return digest.hexdigest()
