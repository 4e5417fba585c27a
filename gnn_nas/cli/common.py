"""What commands share: how mistakes and interruptions end them, options of the same meaning."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.errors import UserError, paths_reported
from gnn_nas.signals import Terminated, terminated_as_interrupted
from gnn_nas.terminal import OutputLost, shown_output

if TYPE_CHECKING:
    from gnn_nas.spaces.index import CellIndex

USER_ERROR_STATUS = 2
# 128 + the signal's number, as shells report it.
INTERRUPTED_STATUS, TERMINATED_STATUS, READER_GONE_STATUS = 130, 143, 141
MAX_SEED = 2**32 - 1

SCRIPT = "gnn-nas"
"""The one command that an installation puts on the path."""
# The one of bin/ that a call came through. Taken, as processes that it starts came through none.
_LAUNCHER = os.environ.pop("GNN_NAS_LAUNCHER", None)


def run_guarded(command: Callable[[], None], again: str = "") -> int:
    """Run a command and return its exit status: 0, or another after at most one line on stderr.

    A mistake or a path that the system refuses becomes ``error: ...`` and 2. Ctrl-C and SIGTERM
    become 130 and 143 after a line that says how to go on. A reader of standard output that has
    gone, like ``head``, is 141 without a word. Any other exception is a defect of the program and
    keeps its traceback.

    Args:
        again: how to go on, see `continued`.
    """
    try:
        with shown_output():
            return _guarded(command, again)
    except OutputLost as lost:
        # The interpreter would try once more when it ends, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if lost.reader_has_gone:
            return READER_GONE_STATUS
        print(f"error: cannot write to standard output: {lost}", file=sys.stderr)
        return USER_ERROR_STATUS


def continued(verb: str, argv: Sequence[str], *options: str) -> str:
    """How a call of a command is gone on with: the same call, with ``options`` too."""
    return f"continue with: {_call(verb, argv, options)}"


def repeated(verb: str, argv: Sequence[str]) -> str:
    """How a call of a command is made again that leaves nothing to go on with."""
    return f"start again with: {_call(verb, argv, ())}"


def _call(verb: str, argv: Sequence[str], options: Sequence[str]) -> str:
    added = [option for option in options if option not in argv]
    return shlex.join([*called_by(verb), *argv, *added])


def called_by(verb: str) -> list[str]:
    """What a command was called by: its launcher, torchrun, Python, or the installed script."""
    if _LAUNCHER:
        return [_LAUNCHER]
    if "TORCHELASTIC_RUN_ID" in os.environ:
        processes = os.environ["LOCAL_WORLD_SIZE"]
        return ["torchrun", "--nproc-per-node", processes, "-m", "gnn_nas", verb]
    called = Path(sys.argv[0])
    if called.parts[-2:] == ("gnn_nas", "__main__.py"):
        return ["python", "-m", "gnn_nas", verb]
    if called.name != SCRIPT or shutil.which(SCRIPT) == str(called):
        return [SCRIPT, verb]
    return [min(str(called), os.path.relpath(called), key=len), verb]


def _guarded(command: Callable[[], None], again: str) -> int:
    try:
        with paths_reported(), terminated_as_interrupted():
            command()
    except UserError as error:
        # Messages of libraries quoted in an error may span lines; the user gets one.
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        return USER_ERROR_STATUS
    except KeyboardInterrupt as stop:
        print(f"interrupted: {again}" if again else "interrupted", file=sys.stderr)
        return TERMINATED_STATUS if isinstance(stop, Terminated) else INTERRUPTED_STATUS
    return 0


def command_parser(verb: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """A parser whose help shows both texts as they are, ``%(prog)s`` being what was called."""
    return argparse.ArgumentParser(
        prog=shlex.join(called_by(verb)),
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_out(parser: argparse.ArgumentParser, default: Path | str, what: str = "the folder") -> None:
    """Add the option that says where to write; a default that depends on others is a text."""
    parser.add_argument(
        "--out",
        type=Path,
        default=default if isinstance(default, Path) else None,
        metavar="DIR",
        help=f"{what} (default: {default})",
    )


def add_benchmark(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where the measurements are."""
    parser.add_argument(
        "--benchmark",
        type=Path,
        metavar="PATH",
        help="measurements of NAS-Bench-101, for a search of NAS-Bench-201 too, or nasbench-graph:"
        " those of the package nas-bench-graph (default: $GNN_NAS_BENCHMARK, else what gnn-nas"
        " import has written)",
    )


def add_space(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option that says of which space cells are."""
    parser.add_argument(
        "--space",
        metavar="NAME|FILE",
        help=f"{what}: a name that gnn-nas spaces lists, or a YAML file of your own",
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


def refuse_more_than_cells(arguments: argparse.Namespace, table: CellIndex) -> None:
    """Raise :class:`UserError` where a search is to make more queries than there are cells."""
    if table.is_complete and arguments.queries > len(table):
        raise UserError(f"--queries must be at most {len(table)}, the number of cells")


def option_name(name: str) -> str:
    """How an argument's name is written as an option."""
    return "--" + name.replace("_", "-")
