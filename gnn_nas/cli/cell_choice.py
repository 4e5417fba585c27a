"""Cells as a user names them: by their hash, its beginning, or the search that found them."""

from __future__ import annotations

import re
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.config import SpaceConfig
from gnn_nas.config_file import load, read_mapping
from gnn_nas.errors import UserError
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201

if TYPE_CHECKING:
    from gnn_nas.spaces.index import CellIndex
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
    """The hash of the cell that a finished search reports.

    Raises :class:`UserError` if the folder is none, or the search has found nothing.
    """
    folder = RunFolder.open(path)
    if not folder.finished:
        raise UserError(
            f"{path} holds no finished search: go on with it by gnn-nas search --resume"
        )
    summary = folder.load_summary()
    if "best" not in summary:
        raise UserError(f"{path} is no folder of a search: no best cell in its summary.json")
    if summary["best"] is None:
        raise UserError(f"{path} has no best cell: every evaluation failed, its history says why")
    best = summary["best"]
    if not isinstance(best, dict) or not isinstance(best.get("hash"), str):
        raise UserError(f"{folder.summary} is damaged: its best cell has no hash")
    return best["hash"]


def searched_space(path: Path) -> str | SpaceConfig:
    """The space of a search's cells, as configs say it. Raises UserError where it is none."""
    folder = RunFolder.open(path)
    config = read_mapping(folder.config)
    described = config.get("space")
    if described is None:
        # Older folders do not say it, nor do those of measurements, and there are two of these.
        return NASBENCH101.name if config.get("dataset") is None else NASBENCH201.name
    if isinstance(described, str):
        return described
    if not isinstance(described, dict):
        raise UserError(f"{folder.config} is damaged: space")
    return load(SpaceConfig, described, name=f"space in {folder.config}")


def row_of(text: str, index: CellIndex) -> int:
    """The row of a cell by its hash, or where all cells have a module hash by its beginning.

    Raises :class:`UserError` if there is none, or there are several.
    """
    from gnn_nas.spaces.table import CellTable

    if isinstance(index, CellTable):
        return row_of_prefix(checked_prefix(text), index)
    try:
        return index.row_of_hash(text)
    except KeyError as error:
        raise UserError(error.args[0]) from None


def row_of_prefix(prefix: str, table: CellTable) -> int:
    """The row of the one cell whose hash begins so. Raises :class:`UserError` for none or many."""
    rows = range(len(table))
    first = bisect_left(rows, prefix, key=table.hash_of)
    # Behind all that begin with it: g follows the hexadecimal digits.
    end = bisect_left(rows, prefix + "g", key=table.hash_of)
    if first == end:
        raise UserError(
            f"no cell of {table.space.name} has a module hash that begins with {prefix}"
        )
    if end - first > 1:
        examples = ", ".join(map(table.hash_of, (first, first + 1)))
        raise UserError(
            f"{prefix} is ambiguous: {end - first} cells begin with it, such as {examples}"
        )
    return first
