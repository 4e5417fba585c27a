"""Objects of a user's own, which options and configs name as ``module:object``."""

from __future__ import annotations

import importlib
import os
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gnn_nas.errors import UserError, described


def is_reference(text: str) -> bool:
    """Whether a text has the form ``module:object``; one of our own names has no colon."""
    module, _, attribute = text.partition(":")
    return module.replace(".", "").isidentifier() and attribute.isidentifier()


def resolve(reference: str, option: str, folder: str | None = None) -> Any:
    """Import what ``module:object`` names.

    What holds such an object is pickled by its reference and the folder, and resolves it anew: the
    object itself need not survive pickling.

    Args:
        reference: ``module:object``.
        option: the option or config key that it is the value of, for errors.
        folder: where the module may lie besides the installed ones; by default the current one,
            which the launchers keep out of the path.

    Raises:
        UserError: the module cannot be imported, or has no such object.
    """
    name, _, attribute = reference.partition(":")
    look_in(folder or os.getcwd())
    with users_code(f"{option} {reference}: cannot import {name}"):
        module = importlib.import_module(name)
    try:
        return getattr(module, attribute)
    except Exception:  # as a rule an AttributeError, but a module may have a __getattr__
        raise UserError(f"{option} {reference}: the module has no {attribute}") from None


def look_in(folder: str) -> None:
    """Let modules of the user's own be found in a folder, after the installed ones."""
    if folder not in sys.path:
        sys.path.append(folder)


def own_file(reference: str) -> Path | None:
    """The file of the module of a resolved ``module:object``, where it is the user's own.

    None for this package and what is installed, and for modules that are no file of Python.
    """
    module = sys.modules.get(reference.partition(":")[0])
    path = getattr(module, "__file__", None)
    if not path or not path.endswith(".py") or path.startswith(_others()):
        return None
    return Path(path)


@contextmanager
def users_code(failure: str) -> Iterator[None]:
    """Raise :class:`UserError` for whatever a block of the user's code raises but Ctrl-C.

    Args:
        failure: what has failed; the error and its place in the user's code are added.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the code may even exit
        raise UserError(f"{failure}: {described(error)}{place(error)}") from error


def place(error: BaseException) -> str:
    """Where in the user's code an error arose, in brackets; nothing if that was not on its way."""
    others = _others()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(others):
            return f" ({Path(frame.filename).name}, line {frame.lineno})"
    return ""


def _others() -> tuple[str, ...]:
    """What the names of files that are not the user's begin with."""
    libraries = map(sysconfig.get_path, ("stdlib", "purelib", "platlib"))
    return *libraries, str(Path(__file__).parent), "<frozen "
