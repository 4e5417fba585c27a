"""The one exception that is shown to users without a traceback."""

import errno
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Characters of a failure that are kept: it goes into a history's line.
_LONGEST_FAILURE = 500
# What the system says of a disk without naming a file.
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


class UserError(Exception):
    """A user's mistake, or something only the user can mend: one line that says what and how.

    Commands print it as ``error: ...`` on stderr and exit with status 2.
    """


def to_install(*packages: str) -> str:
    """The call that installs packages into the environment that this runs in."""
    python = min(sys.executable, os.path.relpath(sys.executable), key=len)
    return shlex.join([python, "-m", "pip", "install", *packages])


@contextmanager
def reported(action: str) -> Iterator[None]:
    """Raise :class:`UserError` for an ``OSError`` of the block: what failed, and the reason."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{action}: {error.strerror or error}") from error


@contextmanager
def paths_reported() -> Iterator[None]:
    """Raise :class:`UserError` where the system refuses a path of the block, or has no room.

    This is for whole commands: what a user named is unreadable, too long, a loop of links, or a
    file where a folder should be. Other ``OSError``s are defects and pass.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None and not isinstance(error.filename, int):
            raise UserError(f"{os.fsdecode(error.filename)}: {error.strerror or error}") from error
        if error.errno in _OF_DISKS:
            raise UserError(f"{error.strerror}: make room, or write elsewhere") from error
        raise
    except ValueError as error:
        if "embedded null" not in str(error):
            raise
        raise UserError("a path has a NUL character, which no file's name can have") from error


def described(error: BaseException) -> str:
    """An exception of a user's code as a short text that any file takes."""
    try:
        text = str(error)
    except BaseException as another:  # its own code may be wrong too
        text = f"without a text, as it raises {type(another).__name__}"
    name = type(error).__name__
    whole = f"{name}: {text}".encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= _LONGEST_FAILURE else f"{whole[:_LONGEST_FAILURE]}…"
