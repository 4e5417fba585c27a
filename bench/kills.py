"""A campaign of kills at random moments; all that is left must be equal, bit for bit."""

from __future__ import annotations

import random
import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bench import adversities
from bench.apart import apart
from bench.kill_scenarios import (
    Scenario,
    digits,
    enumeration,
    importing,
    pretraining,
    search,
)
from bench.measuring import Figure, at_least, say
from bench.search import WITHOUT
from bench.victims import End, Reference, call, differences, options_of, place, reference
from gnn_nas.benchmarks.locate import has_benchmark
from gnn_nas.cli.common import INTERRUPTED_STATUS, TERMINATED_STATUS
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.table import load_table
from tests.helpers.official_writer import synthetic_rows, write_tfrecord

_SIDE_BY_SIDE = 2
_STATUS = {signal.SIGTERM: TERMINATED_STATUS, signal.SIGINT: INTERRUPTED_STATUS}


@dataclass
class Tally:
    """How signals have gone: those after which everything was as it should be, of all."""

    good: int = 0
    sent: int = 0
    early: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another's signals too."""
        self.good += other.good
        self.sent += other.sent
        self.early += other.early
        self.faults += other.faults


def measure(seed: int = 0) -> list[Figure]:
    """Make the campaign; it takes a quarter of an hour."""
    # A shell starts background jobs deaf to Ctrl-C, and what they call inherits it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    load_table()
    with tempfile.TemporaryDirectory() as path:
        source = Path(path) / "synthetic.tfrecord"
        say("a synthetic file in the official format")
        apart(_write, source, threads=1)
        scenarios = [pretraining(), digits(), enumeration(), importing(source)]
        if has_benchmark():
            scenarios.insert(1, search())
        figures = campaign(scenarios, seed)
    if not has_benchmark():
        figures += [Figure("search, SIGKILLs", None, condition=WITHOUT)]
    return figures


def campaign(scenarios: Sequence[Scenario], seed: int) -> list[Figure]:
    """Kill and stop every scenario's command as often as it says, then meet the adversities."""
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        references = dict(
            zip(
                [scenario.name for scenario in scenarios],
                pool.map(reference, scenarios),
                strict=True,
            )
        )
        jobs = []
        for scenario in scenarios:
            for numbers in ([signal.SIGKILL], [signal.SIGTERM, signal.SIGINT]):
                count = scenario.kills if signal.SIGKILL in numbers else scenario.stops
                name = f"{scenario.name}, {'SIGKILLs' if len(numbers) == 1 else 'SIGTERM, SIGINT'}"
                for lane in range(_SIDE_BY_SIDE):
                    signals = (numbers * count)[lane:count:_SIDE_BY_SIDE]
                    draw = random.Random(f"{seed}, {name}, {lane}")
                    whole = references[scenario.name]
                    jobs.append((name, pool.submit(_lane, scenario, whole, signals, draw)))
        others = [
            (name, pool.submit(adversity))
            for name, adversity in adversities.of(scenarios, references)
        ]
        tallies: dict[str, Tally] = {}
        for name, job in jobs:
            tallies.setdefault(name, Tally()).add(job.result())
        figures = [_figure(name, tally) for name, tally in tallies.items() if tally.sent]
        figures += [_of_adversity(name, job.result()) for name, job in others]
    return figures


def _lane(
    scenario: Scenario, whole: Reference, signals: Sequence[int], draw: random.Random
) -> Tally:
    """Send signals one after another; a command that has ended before its signal is begun anew."""
    tally, left = Tally(), list(signals)
    while left:
        tally.add(_until_its_end(scenario, whole, left, draw))
        say(f"{scenario.name}: {tally.good} of {tally.sent} {signals[0].name}s")
    return tally


def _until_its_end(
    scenario: Scenario, whole: Reference, left: list[int], draw: random.Random
) -> Tally:
    """Call a command, and again after every signal that has reached it, until it ends."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as path:
        out = place(scenario, path)
        options = options_of(scenario, out)
        while True:
            number = left[0] if left else None
            end = call(scenario, options, out, number, draw.uniform(0, whole.seconds))
            tally.faults += end.faults
            if not end.reached:
                break
            left.pop(0)
            tally.sent += 1
            options = options_of(scenario, out, again=True)
            if number != signal.SIGKILL:
                early, faults, options = _stopped(scenario, end, number, out, options)
                tally.early += early
                tally.faults += faults
        if end.status:
            tally.faults.append(f"it could not be ended: {end.told()}")
            if not tally.sent:
                # One that fails before its signal would be begun anew for ever.
                left.pop(0)
                tally.sent += 1
        else:
            tally.faults += differences(scenario, whole, out)
    tally.good = 0 if tally.faults else tally.sent
    for fault in tally.faults:
        print(f"  FAULT {scenario.name}: {fault}", file=sys.stderr, flush=True)
    return tally


def _stopped(
    scenario: Scenario, end: End, number: int, out: Path, options: list[str]
) -> tuple[bool, list[str], list[str]]:
    """Judge how a command answers SIGTERM or Ctrl-C.

    Returns:
        whether the signal came where the command does not hear it yet, or not any more; what is
        wrong; the options with which it says to go on.
    """
    config = RunFolder(out).config
    if end.status == -number and (not config.exists() or RunFolder(out).finished):
        return True, [], options
    faults = []
    if end.status != _STATUS[number]:
        faults.append(f"{signal.Signals(number).name} gave {end.told()}")
    lines = [line for line in end.said.splitlines() if line.startswith("interrupted: ")]
    said = "interrupted: continue with: "
    if len(lines) != 1 or not lines[0].startswith(said) or "Traceback" in end.said:
        faults.append(f"no line says how to go on: {end.told()}")
    else:
        words = shlex.split(lines[0].removeprefix(said))
        options = words[words.index(scenario.command) + 1 :]
    if scenario.command == "pretrain":
        faults += _lost_steps(RunFolder(out))
    return False, faults, options


def _lost_steps(folder: RunFolder) -> list[str]:
    """Say where the checkpoint is not of the last step that was logged, or of a later one."""
    rows = folder.read_metrics() if folder.metrics.exists() else []
    last = max((row["step"] for row in rows), default=0)
    kept = folder.load_checkpoint()["step"] if folder.checkpoint.exists() else 0
    return [f"the checkpoint is of step {kept}, the last row of {last}"] if kept < last else []


def _figure(name: str, tally: Tally) -> Figure:
    condition = f"of {tally.sent}: all bits equal, nothing left behind"
    if tally.early:
        condition += f"; {tally.early} outside of what the command does"
    if tally.faults:
        condition = f"of {tally.sent}: {'; '.join(sorted(set(tally.faults)))}"
    return Figure(name, tally.good, condition=condition, target=at_least(tally.sent))


def _of_adversity(name: str, answer: list[str] | str) -> Figure:
    """A figure of what went wrong, or of why the adversity could not be made."""
    if isinstance(answer, str):
        return Figure(name, None, condition=answer)
    return Figure(
        name, float(not answer), condition="; ".join(answer) or "as it should", target=at_least(1)
    )


def _write(path: Path) -> None:
    write_tfrecord(path, synthetic_rows(load_table()))
