"""A task of the user's own: a function or an object of a Python module."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.errors import UserError
from gnn_nas.tasks.task import Trained, Training

if TYPE_CHECKING:
    from gnn_nas.cells.packed import PackedCells


class UserTask:
    """Rewards cells by what a user's code says; a `gnn_nas.tasks.task.Task`.

    The object is a function ``train(cell, seed)``, or has one. It gives the reward, or a mapping of
    figures with ``reward`` among them. The object may have ``test(cell, seed)``, which gives the
    held-out figure, or a mapping with ``test``; and ``trainings``, ``timeout``, ``cost`` and
    ``fingerprint``, which by default is a hash of the module's source.

    Args:
        reference: ``module:object``.

    Raises:
        UserError: the module cannot be imported, or the object is no task.
    """

    def __init__(self, reference: str) -> None:
        self._reference = reference
        module, found = _find(reference)
        self._train = _function(reference, getattr(found, "train", found))
        test = getattr(found, "test", None)
        self._test = test and _function(reference, test)
        self.has_test = test is not None
        self.settings = {"object": reference}
        self.name = reference.partition(":")[2].replace("_", "-")
        self.trainings = getattr(found, "trainings", 1)
        self.timeout = getattr(found, "timeout", None)
        if not isinstance(self.trainings, int) or self.trainings < 1:
            raise UserError(f"--task {reference}: trainings must be 1 or more: {self.trainings!r}")
        if self.timeout is not None and not _is_number(self.timeout):
            raise UserError(f"--task {reference}: timeout must be seconds: {self.timeout!r}")
        self.cost = getattr(found, "cost", "parameters")
        if self.cost not in ("parameters", "latency"):
            raise UserError(
                f"--task {reference}: cost must be parameters or latency: {self.cost!r}"
            )
        self.fingerprint = str(getattr(found, "fingerprint", None) or _hash(module, reference))

    def __reduce__(self) -> tuple:
        # By name: what the user's object holds need not survive pickling.
        return _reopen, (self._reference, os.getcwd())

    def train(self, cell: PackedCells, seed: int) -> Training:
        """Train a cell: see `gnn_nas.tasks.task.Task`."""
        figures = _figures(self._train(cell, seed), "reward")
        return Training(figures.pop("reward"), figures)

    def test(self, cell: PackedCells, seed: int) -> Trained:
        """Judge a cell by held-out data: see `gnn_nas.tasks.task.Task`."""
        return Trained(_figures(self._test(cell, seed), "test"))


def _reopen(reference: str, folder: str) -> UserTask:
    _make_importable(folder)
    return UserTask(reference)


def _find(reference: str) -> tuple[Any, Any]:
    name, _, attribute = reference.partition(":")
    # The launchers keep the current folder out of the path; it is where a user's module lies.
    _make_importable(os.getcwd())
    try:
        module = importlib.import_module(name)
    except Exception as error:  # the module's own code runs here
        raise UserError(
            f"--task {reference}: cannot import {name}: {type(error).__name__}: {error}"
        ) from error
    try:
        return module, getattr(module, attribute)
    except AttributeError:
        raise UserError(f"--task {reference}: the module has no {attribute}") from None


def _make_importable(folder: str) -> None:
    if folder not in sys.path:
        sys.path.append(folder)


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


def _figures(given: Any, main: str) -> dict[str, float]:
    """What a user's function gave, as numbers by name. Raises TypeError where it is no such."""
    figures = dict(given) if isinstance(given, Mapping) else {main: given}
    if main not in figures:
        raise TypeError(f"the figures have no {main}: {', '.join(map(str, figures)) or 'none'}")
    for name, value in figures.items():
        # A tensor or an array of one number is one too.
        value = value.item() if hasattr(value, "item") else value
        if not _is_number(value):
            raise TypeError(f"{name} is no number: {value!r:.100}")
        figures[name] = float(value)
    return {str(name): value for name, value in figures.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _hash(module: Any, reference: str) -> str:
    digest = hashlib.sha256(reference.encode())
    if path := getattr(module, "__file__", None):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()
