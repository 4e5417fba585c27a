"""Work that does what its job says, and notes which process has begun it."""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from gnn_nas.errors import UserError


@dataclass
class Work:
    """Gives its job back, unless it has a meaning.

    Args:
        notes: a file that gets a line for every job begun; seconds: that one takes.
        loads: anything that has a process load what it needs.
    """

    notes: Path
    seconds: float = 0.0
    loads: object = None

    def __call__(self, job):
        with self.notes.open("a") as stream:
            stream.write(f"{job} {os.getpid()}\n")
        time.sleep(self.seconds)
        match job:
            case "refuse":
                raise UserError("not this one")
            case "fail":
                raise ValueError("a defect")
            case "full disk":
                raise OSError(28, "No space left on device")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "be asked to end":
                os.kill(os.getpid(), signal.SIGTERM)
            case "not listen":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(1000)
            case "hang":
                time.sleep(1000)
            case "threads":
                return sys.modules["torch"].get_num_threads()
        return job

    def begun(self) -> list[list[str]]:
        """Job and process of every beginning."""
        if not self.notes.exists():
            return []
        return [line.rsplit(" ", 1) for line in self.notes.read_text().splitlines()]


class Unloadable:
    """Work that a process cannot load."""

    def __reduce__(self) -> tuple:
        return _refuse, ()


def _refuse() -> None:
    raise UserError("no module here")
