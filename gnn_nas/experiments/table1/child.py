"""Runs a command of the package for as long as the process that started it lives.

``python -m gnn_nas.experiments.table1.child MODULE OPTION...``, with standard input a pipe whose
other end the starter holds: a command left alone would go on writing into folders that the next
call writes too.
"""

import importlib
import os
import signal
import sys
import threading


def _end_with_starter() -> None:
    # Not through sys.stdin: its lock, held here, would be in the way of the interpreter's end.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    # Shells' background jobs and Ray's workers are deaf to it, and their children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_starter, daemon=True).start()
    command = importlib.import_module(sys.argv[1])
    # As if it had been called itself, which is how it is named to others.
    sys.argv = [command.__file__, *sys.argv[2:]]
    sys.exit(command.main(sys.argv[1:]))
