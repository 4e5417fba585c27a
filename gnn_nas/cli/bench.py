"""``bench``: speed and memory, by the measurements that lie in a clone of the project."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from gnn_nas.cli.common import command_parser, run_guarded
from gnn_nas.errors import UserError

_ROOT = Path(__file__).parents[2]


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(_refuse_elsewhere) or _measurements().main(argv)


def parser() -> argparse.ArgumentParser:
    """The command's options, of which there are none where it cannot measure."""
    return _measurements().parser() if _is_clone() else command_parser("bench", "", "")


def _is_clone() -> bool:
    return all((_ROOT / name).is_file() for name in ("bench/__main__.py", "pyproject.toml"))


def _refuse_elsewhere() -> None:
    if not _is_clone():
        raise UserError(
            "bench measures a clone of the project, and this package is installed without one: call"
            " bin/bench there"
        )


def _measurements():
    if str(_ROOT) not in sys.path:
        sys.path.insert(0, str(_ROOT))
    return importlib.import_module("bench.__main__")
