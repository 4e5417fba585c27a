"""What commands share: how mistakes and interruptions end them, options of the same meaning."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.errors import UserError

if TYPE_CHECKING:
    from gnn_nas.cells.table import CellTable

USER_ERROR_STATUS = 2
INTERRUPTED_STATUS = 130  # 128 + SIGINT, as shells report it
MAX_SEED = 2**32 - 1


def run_guarded(command: Callable[[], None]) -> int:
    """Run a command and return its exit status: 0, or 2 and 130 after one line on stderr.

    A :class:`UserError` becomes ``error: ...`` and 2, Ctrl-C becomes 130. Any other exception is a
    defect of the program and keeps its traceback.
    """
    try:
        command()
    except UserError as error:
        # Messages of libraries quoted in an error may span lines; the user gets one.
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        return USER_ERROR_STATUS
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED_STATUS
    return 0


def add_benchmark(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where the measurements are."""
    parser.add_argument(
        "--benchmark",
        type=Path,
        metavar="PATH",
        help="measurements of NAS-Bench-101 (default: $GNN_NAS_BENCHMARK, else what import-nasbench"
        " has written)",
    )


def refuse_below_one(arguments: argparse.Namespace, names: Iterable[str]) -> None:
    """Raise :class:`UserError` where a count was given as less than 1."""
    for name in names:
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise UserError(f"{option_name(name)} must be at least 1, not {value}")


def refuse_given(arguments: argparse.Namespace, names: Iterable[str], needed: str) -> None:
    """Raise :class:`UserError` where an option was given that means nothing without another."""
    for name in names:
        if getattr(arguments, name) is not None:
            raise UserError(f"{option_name(name)} needs {needed}")


def refuse_outside(arguments: argparse.Namespace, name: str, least: int, most: int) -> None:
    """Raise :class:`UserError` where a number is not one of ``least`` to ``most``."""
    value = getattr(arguments, name)
    if not least <= value <= most:
        raise UserError(f"{option_name(name)} must be from {least} to {most}, not {value}")


def refuse_seeds(arguments: argparse.Namespace) -> None:
    """Raise :class:`UserError` where one of ``seeds`` seeds from ``seed`` on is none."""
    if not 0 <= arguments.seed < 2**32 - arguments.seeds:
        raise UserError(f"--seed must be from 0 to 2^32 - seeds, not {arguments.seed}")


def refuse_more_than_cells(arguments: argparse.Namespace, table: CellTable) -> None:
    """Raise :class:`UserError` where a search is to make more queries than there are cells."""
    if arguments.queries > len(table):
        raise UserError(f"--queries must be at most {len(table)}, the number of cells")


def open_table() -> CellTable:
    """Open the table of all cells; that the first call enumerates them is shown meanwhile."""
    from rich.console import Console

    from gnn_nas.cells.table import load_table

    with Console(stderr=True).status("opening the search space (enumerated on the first call)"):
        return load_table()


def available_cores() -> int:
    """Cores that this process may use, where the system tells; else those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def option_name(name: str) -> str:
    """How an argument's name is written as an option."""
    return "--" + name.replace("_", "-")
