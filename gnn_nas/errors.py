"""The one exception that is shown to users without a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """A user's mistake, or something only the user can mend: one line that says what and how.

    Commands print it as ``error: ...`` on stderr and exit with status 2.
    """


@contextmanager
def reported(action: str) -> Iterator[None]:
    """Raise :class:`UserError` for an ``OSError`` of the block: what failed, and the reason."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{action}: {error.strerror}") from error
