"""The user's folders: where derived data and imports are kept between runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gnn_nas.errors import UserError

CACHE_VARIABLE = "GNN_NAS_CACHE"


def cache_folder() -> Path:
    """Where derived data is: ``$GNN_NAS_CACHE``, else ``gnn_nas`` in the user's cache folder.

    Raises:
        UserError: the user has no home, as in some containers.
    """
    if folder := os.environ.get(CACHE_VARIABLE):
        return Path(folder)
    return _of_user("XDG_CACHE_HOME", ".cache", CACHE_VARIABLE) / "gnn_nas"


def data_folder() -> Path:
    """Where imports are: ``gnn_nas`` in the user's data folder. Raises as `cache_folder`."""
    return _of_user("XDG_DATA_HOME", ".local/share", "XDG_DATA_HOME") / "gnn_nas"


@contextmanager
def compiled_code_kept(cache: Path | None = None) -> Iterator[None]:
    """Let what numba compiles in a block be kept in the cache folder; numba is imported in it.

    By itself it would write beside the sources or in the home, either of which may be read-only.

    Args:
        cache: by default `cache_folder`.

    Raises:
        UserError: it can be kept nowhere.
    """
    folder = os.environ.setdefault("NUMBA_CACHE_DIR", str((cache or cache_folder()) / "numba"))
    try:
        yield
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        raise UserError(
            f"cannot write {folder}, where compiled code is kept: set {CACHE_VARIABLE} to another"
            " folder"
        ) from error


def _of_user(variable: str, default: str, remedy: str) -> Path:
    if folder := os.environ.get(variable):
        return Path(folder)
    try:
        return Path.home() / default
    except RuntimeError:
        raise UserError(
            f"this user has no home folder: set {remedy} to a folder that can be written"
        ) from None
