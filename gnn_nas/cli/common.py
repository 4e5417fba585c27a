"""What commands share: how mistakes and interruptions end them, options of the same meaning."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from gnn_nas.errors import UserError

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
            raise UserError(f"{_option(name)} must be at least 1, not {value}")


def refuse_outside(arguments: argparse.Namespace, name: str, least: int, most: int) -> None:
    """Raise :class:`UserError` where a number is not one of ``least`` to ``most``."""
    value = getattr(arguments, name)
    if not least <= value <= most:
        raise UserError(f"{_option(name)} must be from {least} to {most}, not {value}")


def available_cores() -> int:
    """Cores that this process may use, where the system tells; else those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
