"""Commands in processes that are ended by a signal, and what becomes of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.apart import environment
from bench.kill_scenarios import Left, Scenario, leftovers
from bench.measuring import say
from bench.startup import commands

# Seconds after which a command hangs, and those that its children may take to see that it is gone.
_PATIENCE, _CHILDREN = 900.0, 60.0


@dataclass
class End:
    """How a call of a command has ended.

    Args:
        status: of the process, negative where a signal has ended it.
        seconds: that it took; said: on stderr; faults: what should not have been.
        reached: whether the signal came before the end.
    """

    status: int
    seconds: float
    said: str
    reached: bool = False
    faults: list[str] = field(default_factory=list)

    def told(self) -> str:
        """The status and the end of what was said, in a line."""
        return f"status {self.status}: {' '.join(self.said.split())[-300:]}"


@dataclass(frozen=True)
class Reference:
    """What an uninterrupted call has left, and the seconds that it took."""

    seconds: float
    left: Left


def options_of(scenario: Scenario, out: Path, again: bool = False) -> list[str]:
    """The options of a scenario's call, or of the one that goes on with it."""
    given = [option.format(out=out) for option in scenario.options]
    return [*given, "--resume"] if again and scenario.resumes else given


def start(
    scenario: Scenario, options: Sequence[str], out: Path, said: int, before: Sequence[str] = ()
) -> subprocess.Popen:
    """Start a command in a session of its own, ``before`` its call stands another's."""
    given = {name: value.format(out=out) for name, value in scenario.environment.items()}
    return subprocess.Popen(
        [*before, sys.executable, "-P", "-m", commands()[scenario.command], *options],
        env=environment(1) | given,
        stdout=subprocess.DEVNULL,
        stderr=said,
        start_new_session=True,
    )


def call(
    scenario: Scenario,
    options: Sequence[str],
    out: Path,
    number: int | None = None,
    moment: float = 0.0,
    before: Sequence[str] = (),
) -> End:
    """Call a command until its end, or send it a signal some seconds after its start.

    SIGINT goes to its children too, as a terminal sends it.
    """
    with tempfile.TemporaryFile() as said:
        started = time.monotonic()
        process = start(scenario, options, out, said.fileno(), before)
        reached = False
        try:
            try:
                process.wait(_PATIENCE if number is None else moment)
            except subprocess.TimeoutExpired:
                if number is None:
                    raise
                send = os.killpg if number == signal.SIGINT else os.kill
                send(process.pid, number)
                reached = True
                process.wait(_PATIENCE)
            faults = []
        except subprocess.TimeoutExpired:
            faults = [f"it hung for {_PATIENCE:.0f} s"]
        seconds = time.monotonic() - started
        faults += _end_children(process)
        said.seek(0)
        text = said.read().decode(errors="replace")
    return End(process.returncode, seconds, text, reached, faults)


def reference(scenario: Scenario) -> Reference:
    """Call a command and let it end. Raises ``RuntimeError`` where it fails."""
    say(f"{scenario.name}, without a kill")
    with tempfile.TemporaryDirectory() as path:
        out = place(scenario, path)
        end = call(scenario, options_of(scenario, out), out)
        if end.status or end.faults:
            raise RuntimeError(f"{scenario.name} fails by itself: {end.told()} {end.faults}")
        return Reference(end.seconds, scenario.left(out))


def differences(scenario: Scenario, whole: Reference, out: Path) -> list[str]:
    """What a command has left that its uninterrupted call has not, or otherwise."""
    found = scenario.left(out)
    names = sorted(found.keys() | whole.left.keys())
    other = [name for name in names if found.get(name, 0) != whole.left.get(name, 0)]
    faults = [f"not equal: {', '.join(other)}"] if other else []
    if there := leftovers(out):
        faults.append(f"left behind: {', '.join(there)}")
    return faults


def place(scenario: Scenario, path: str) -> Path:
    """Where a command is to write below a folder; made where the command makes none itself."""
    out = Path(path) / "out"
    if not scenario.resumes:
        out.mkdir()
    return out


def _end_children(process: subprocess.Popen) -> list[str]:
    """Wait for a session's processes to end; kill what stays, which is a fault."""
    hung = process.poll() is None
    limit = time.monotonic() + (0 if hung else _CHILDREN)
    while there := _session(process.pid):
        if time.monotonic() > limit:
            for pid in there:
                os.kill(pid, signal.SIGKILL)
            process.wait()
            return [] if hung else [f"{len(there)} processes were left after {_CHILDREN:.0f} s"]
        time.sleep(0.05)
    return []


def _session(leader: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # State and session stand after the name, which ends with the last parenthesis.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(entry.name))
    return found
