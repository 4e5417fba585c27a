"""What surrounds a command besides signals: others in its folder, a full disk, no home."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench.apart import ROOT
from bench.kill_scenarios import Scenario
from bench.measuring import say
from bench.victims import End, Reference, call, differences, options_of, place, start
from gnn_nas.locking import is_lock
from gnn_nas.user_folders import CACHE_VARIABLE, cache_folder

Answer = list[str] | str
"""What went wrong, or why the adversity could not be made."""

_NEEDS_ROOT = "skipped: only root can mount"
# Less than the config, the first checkpoint and the second one take.
_SIZES = ("4k", "2m", "5m")
_PATIENCE = 300.0
# Its arguments: a folder that is to be read-only for the call that follows.
_READ_ONLY = (
    'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && ! test -w "$0" && exec "$@"'
)


def of(
    scenarios: Sequence[Scenario], references: Mapping[str, Reference]
) -> Iterator[tuple[str, Callable[[], Answer]]]:
    """Give the adversities of the scenarios, each with its name."""
    for scenario in scenarios:
        whole = references[scenario.name]
        if scenario.name in ("pretraining", "search"):
            yield f"{scenario.name}, a second one", partial(second, scenario, whole)
        if scenario.name == "pretraining":
            for size in _SIZES:
                disk = partial(full_disk, scenario, whole, size)
                yield f"{scenario.name}, a disk of {size}", disk
        if scenario.name == "first enumeration":
            yield "no home", partial(no_home, scenario)
            yield "a read-only package", partial(read_only_package, scenario, whole)


def second(scenario: Scenario, whole: Reference) -> Answer:
    """Call a command in the folder that another is writing, which has been halted meanwhile."""
    say(f"{scenario.name}, a second one in its folder")
    with tempfile.TemporaryDirectory() as path, tempfile.TemporaryFile() as said:
        out = place(scenario, path)
        first = start(scenario, options_of(scenario, out), out, said.fileno())
        try:
            limit = time.monotonic() + _PATIENCE
            while not (out.is_dir() and any(map(is_lock, os.listdir(out)))):
                if first.poll() is not None or time.monotonic() > limit:
                    return ["the first has locked nothing"]
                time.sleep(0.005)
            os.kill(first.pid, signal.SIGSTOP)
            refused = call(scenario, options_of(scenario, out, again=True), out)
            os.kill(first.pid, signal.SIGCONT)
            status = first.wait(_PATIENCE)
        finally:
            first.kill()
            first.wait()
        faults = _one_line(refused, "is being written by")
        return (
            faults
            + ([f"the first: {status}"] if status else [])
            + differences(scenario, whole, out)
        )


def full_disk(scenario: Scenario, whole: Reference, size: str) -> Answer:
    """Call a command on a disk that is too small, then make room and go on."""
    say(f"{scenario.name}, a disk of {size}")
    with tempfile.TemporaryDirectory() as path, _disk(Path(path), size) as disk:
        if disk is None:
            return _NEEDS_ROOT
        out = disk / "out"
        faults = _one_line(call(scenario, options_of(scenario, out), out), "No space left")
        subprocess.run(["mount", "-o", "remount,size=1g", disk], check=True)
        end = call(scenario, options_of(scenario, out, again=True), out)
        if end.status:
            return [*faults, f"with room: {end.told()}"]
        return faults + differences(scenario, whole, out)


def no_home(scenario: Scenario) -> Answer:
    """Call a command whose user has no home, then name the folder that it asks for."""
    say("no home")
    homeless = {"HOME": "/dev/null/home", "XDG_CACHE_HOME": "", "XDG_DATA_HOME": ""}
    faults = []
    for folder in ("", str(cache_folder())):
        here = dataclasses.replace(scenario, environment={**homeless, CACHE_VARIABLE: folder})
        with tempfile.TemporaryDirectory() as path:
            out = place(here, path)
            end = call(here, options_of(here, out), out)
            if not folder:
                faults += _one_line(end, CACHE_VARIABLE)
            elif end.status:
                faults.append(f"with {CACHE_VARIABLE}: {end.told()}")
    return faults


def read_only_package(scenario: Scenario, whole: Reference) -> Answer:
    """Call a command whose package cannot be written, with a cache that has yet to be made."""
    say("a read-only package")
    before = ("unshare", "--mount", "sh", "-c", _READ_ONLY, str(ROOT / "gnn_nas"))
    if os.geteuid() or subprocess.run([*before, "true"], capture_output=True).returncode:
        return _NEEDS_ROOT
    with tempfile.TemporaryDirectory() as path:
        out = place(scenario, path)
        end = call(scenario, options_of(scenario, out), out, before=before)
        return [end.told()] if end.status else differences(scenario, whole, out)


@contextmanager
def _disk(folder: Path, size: str) -> Iterator[Path | None]:
    """Mount a disk of a size; None where that is not allowed."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _one_line(end: End, named: str) -> list[str]:
    """Say where a refusal is not one line that names what it is to name."""
    errors = [line for line in end.said.splitlines() if line.startswith("error: ")]
    right = end.status == 2 and len(errors) == 1 and "Traceback" not in end.said
    return [] if right and named in errors[0] else [f"not one line of {named}: {end.told()}"]
