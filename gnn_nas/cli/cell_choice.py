"""Cells as a user names them: by their hash, its beginning, or the search that found them."""

from __future__ import annotations

import re
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.config_file import read_mapping
from gnn_nas.errors import UserError
from gnn_nas.run_folder import RunFolder

if TYPE_CHECKING:
    from gnn_nas.spaces.table import CellTable

LEAST_PREFIX = 6
"""Digits of a hash that must be given; there are cells enough to make fewer ambiguous."""

_WHOLE_HASH = 32


def checked_prefix(text: str) -> str:
    """The beginning of a module hash in small letters. Raises :class:`UserError` if it is none."""
    prefix = text.lower()
    if not re.fullmatch(r"[0-9a-f]+", prefix) or len(prefix) > _WHOLE_HASH:
        raise UserError(f"{text!r} is no module hash: it has {_WHOLE_HASH} hexadecimal digits")
    if len(prefix) < LEAST_PREFIX:
        raise UserError(f"{text!r} is too short: give at least {LEAST_PREFIX} digits of the hash")
    return prefix


def best_hash(path: Path) -> str:
    """The module hash of the cell that a finished search reports.

    Raises :class:`UserError` if the folder is none, or the search has found nothing.
    """
    folder = RunFolder.open(path)
    if not folder.finished:
        raise UserError(
            f"{path} holds no finished search: go on with it by gnn-nas search --resume"
        )
    if (dataset := read_mapping(folder.config).get("dataset")) is not None:
        raise UserError(
            f"{path} searched another space for {dataset}: networks of its cells are not built"
        )
    summary = folder.load_summary()
    if "best" not in summary:
        raise UserError(f"{path} is no folder of a search: no best cell in its summary.json")
    if summary["best"] is None:
        raise UserError(f"{path} has no best cell: every evaluation failed, its history says why")
    try:
        return checked_prefix(summary["best"]["hash"])
    except (KeyError, TypeError, AttributeError):
        raise UserError(f"{folder.summary} is damaged: its best cell has no hash") from None


def row_of_prefix(prefix: str, table: CellTable) -> int:
    """The row of the one cell whose hash begins so. Raises :class:`UserError` for none or many."""
    rows = range(len(table))
    first = bisect_left(rows, prefix, key=table.hash_of)
    # Behind all that begin with it: g follows the hexadecimal digits.
    end = bisect_left(rows, prefix + "g", key=table.hash_of)
    if first == end:
        raise UserError(f"no cell of NAS-Bench-101 has a module hash that begins with {prefix}")
    if end - first > 1:
        examples = ", ".join(map(table.hash_of, (first, first + 1)))
        raise UserError(
            f"{prefix} is ambiguous: {end - first} cells begin with it, such as {examples}"
        )
    return first
