"""The one exception that is shown to users without a traceback."""


class UserError(Exception):
    """A user's mistake, or something only the user can mend: one line that says what and how.

    Commands print it as ``error: ...`` on stderr and exit with status 2.
    """
