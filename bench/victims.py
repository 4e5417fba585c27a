"""Commands in processes that are ended by a signal, and what becomes of them."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.apart import environment
from bench.kill_scenarios import Left, Scenario, leftovers
from bench.measuring import say
from bench.startup import COMMAND

# Seconds after which a command hangs, and those that its children may take to see that it is gone.
_PATIENCE, _CHILDREN = 900.0, 60.0
# Seconds between looks at one.
_LOOK = 0.02


@dataclass
class End:
    """How a call of a command has ended.

    Args:
        status: of the process, negative where a signal has ended it.
        seconds: that it and its children have computed; said: on stderr.
        reached: whether the signal came before the end; faults: what should not have been.
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
    """What an uninterrupted call has left, and the seconds that it has computed."""

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
        [*before, *COMMAND, scenario.command, *options],
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
    """Call a command until its end, or send it a signal when it has computed for some seconds.

    SIGINT goes to its children too, as a terminal sends it.
    """
    with tempfile.TemporaryFile() as said:
        process = start(scenario, options, out, said.fileno(), before)
        faults, spent, reached = [], 0.0, False
        try:
            spent, reached = _watch(process, moment if number is not None else None)
            if reached:
                send = os.killpg if number == signal.SIGINT else os.kill
                send(process.pid, number)
                _watch(process)
        except subprocess.TimeoutExpired:
            faults = [f"it hung for {_PATIENCE:.0f} s"]
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        faults += _end_children(process)
        said.seek(0)
        text = said.read().decode(errors="replace")
    # What ends well has ended before the signal was heard.
    return End(process.returncode, spent, text, reached and process.returncode != 0, faults)


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


def _watch(process: subprocess.Popen, moment: float | None = None) -> tuple[float, bool]:
    """Wait until a process ends, or until its session has computed for some seconds.

    Returns:
        the seconds that it has computed; whether that was the moment. By the clock the same
        moments would come later or earlier in a run when the machine has less or more to do.
    """
    spent, limit = 0.0, time.monotonic() + _PATIENCE
    while process.poll() is None:
        spent = max(spent, _computed(process.pid))
        if moment is not None and spent >= moment:
            return spent, True
        if time.monotonic() > limit:
            raise subprocess.TimeoutExpired(process.args, _PATIENCE)
        time.sleep(_LOOK)
    return spent, False


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
    return [pid for pid, state, _ in _stat(leader) if state != "Z"]


def _computed(leader: int) -> float:
    """Seconds that a session's processes, and those that they have seen end, have computed."""
    return sum(ticks for _, _, ticks in _stat(leader)) / os.sysconf("SC_CLK_TCK")


def _stat(leader: int) -> Iterator[tuple[int, str, int]]:
    """Give number, state and ticks of a session's processes."""
    for entry in os.listdir("/proc"):
        # What it has started has a higher number.
        if entry.isdigit() and int(entry) >= leader:
            try:
                text = Path("/proc", entry, "stat").read_text()
            except OSError:
                continue
            # The name before them ends with the last parenthesis.
            fields = text.rpartition(")")[2].split()
            if int(fields[3]) == leader:
                yield int(entry), fields[0], sum(map(int, fields[11:15]))
