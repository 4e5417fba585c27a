"""From a command's call to its help, to pretraining's first step, and what surrounds a search."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.apart import CONFIGS, environment
from bench.measuring import Figure, Times, at_most, say, time_of
from bench.search import QUERIES, WITHOUT
from gnn_nas.benchmarks.locate import has_benchmark
from gnn_nas.cli.main import VERBS
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.table import load_table

THREADS = 2
COMMAND = [sys.executable, "-P", "-m", "gnn_nas"]
_HELP = at_most(0.3)
_CONFIG = CONFIGS / "gin_multisim.yaml"
_RUNS = 3
# Seconds between looks at a run's metrics, and those after which it is given up.
_LOOK, _PATIENCE = 0.005, 120.0


def measure() -> list[Figure]:
    """Measure the help of every verb, pretraining's first step, then searches."""
    load_table()
    figures = []
    for verb in VERBS:
        say(f"{verb} --help")
        figures.append(_help(verb))
    say("the first step of pretraining")
    figures.append(_first_step())
    for ordinary in (False, True):
        say("what surrounds a search")
        figures.append(_around_search(ordinary))
    return figures


def _help(verb: str) -> Figure:
    command = [*COMMAND, verb, "--help"]

    def call() -> None:
        # Without a timeout: with one, the end of a process is looked for every 50 ms only.
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment(THREADS))

    return time_of(call, repeats=7).spent(f"{verb} --help", "s", target=_HELP)


def _first_step() -> Figure:
    times = Times(tuple(_seconds_to_first_step() for _ in range(_RUNS)), THREADS)
    return times.spent(
        "pretrain, until its first step is done",
        "s",
        condition=f"{_CONFIG.stem}, cells enumerated before",
        target=at_most(8),
    )


def _seconds_to_first_step() -> float:
    """Call the command, wait for the first row of its metrics, end it."""
    with tempfile.TemporaryDirectory() as path:
        folder = RunFolder(Path(path) / "run")
        command = [*COMMAND, "pretrain", f"--config={_CONFIG}"]
        command += [f"--out={folder.path}", "--device=cpu", "--set=training.log_every=1"]
        with open(Path(path) / "errors", "w+b") as errors:
            started = time.perf_counter()
            process = subprocess.Popen(
                command, env=environment(THREADS), stdout=subprocess.DEVNULL, stderr=errors
            )
            try:
                while not _first_row(folder.metrics):
                    if process.poll() is not None or time.perf_counter() - started > _PATIENCE:
                        errors.seek(0)
                        said = errors.read().decode(errors="replace")[-2000:]
                        raise RuntimeError(f"pretrain made no step: {said}")
                    time.sleep(_LOOK)
                return time.perf_counter() - started
            finally:
                process.kill()
                process.wait()


def _first_row(metrics: Path) -> bool:
    """Whether a file of metrics has a whole row of training."""
    if not metrics.exists():
        return False
    first, end, _ = metrics.read_text(encoding="utf-8").partition("\n")
    return bool(end) and json.loads(first)["kind"] == "train"


def _around_search(ordinary: bool) -> Figure:
    name = "search, start-up and drawing" + (", AVX2 only" if ordinary else "")
    if not has_benchmark():
        return Figure(name, None, condition=WITHOUT)
    times = Times(tuple(_seconds_around_search(ordinary) for _ in range(_RUNS)), THREADS)
    return times.spent(
        name, "s", condition=f"{QUERIES} queries, by the clock, less computing", target=at_most(5)
    )


def _seconds_around_search(ordinary: bool) -> float:
    with tempfile.TemporaryDirectory() as path:
        options = [f"--queries={QUERIES}", f"--out={path}/search"]
        command = [*COMMAND, "search", *options]
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment(THREADS, ordinary))
        whole = time.perf_counter() - started
        return whole - RunFolder(f"{path}/search").controller(0).load_summary()["wall_seconds"]
