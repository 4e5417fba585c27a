"""Commands of the package as jobs, each in a process of its own."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from gnn_nas.errors import reported
from gnn_nas.signals import Terminated, terminated_as_interrupted

# What users set for this package here is to hold on other machines too.
_PASSED_ON = "GNN_NAS_"
# The status of a command that SIGTERM has ended, as shells and this package's have it.
_TERMINATED = 128 + signal.SIGTERM


def _passed_on() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}


@dataclass(frozen=True)
class Command:
    """A call of a command: the job of a worker that is not used again, see `run_command`.

    Args:
        module: has the command's ``main``; options: its arguments.
        log: a file that what it says is appended to.
        environment, folder: it runs with; by default what this process has.
    """

    module: str
    options: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=_passed_on)
    folder: str = field(default_factory=os.getcwd)


def run_command(command: Command) -> int:
    """Run a command with one thread as if it had been called itself, and give its exit status.

    SIGTERM reaches it as Ctrl-C does, and ends the process after it.

    Raises:
        UserError: its folder or log is not here.
    """
    with reported(f"cannot write {command.log}"):
        os.chdir(command.folder)
        with command.log.open("ab") as stream:
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
    os.environ.update(command.environment, OMP_NUM_THREADS="1")
    try:
        with terminated_as_interrupted():
            module = importlib.import_module(command.module)
            # That is how it is named to others.
            sys.argv = [str(module.__file__), *command.options]
            status = module.main(command.options)
    except SystemExit as end:
        status = end.code
    except Terminated:
        status = _TERMINATED
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    if status == _TERMINATED:
        signal.raise_signal(signal.SIGTERM)
    return status or 0
