"""What all commands share: how mistakes and interruptions end them."""

import sys
from collections.abc import Callable

from gnn_nas.errors import UserError

USER_ERROR_STATUS = 2
INTERRUPTED_STATUS = 130  # 128 + SIGINT, as shells report it


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
