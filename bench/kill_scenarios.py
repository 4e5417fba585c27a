"""The commands that are killed, and what they leave that is to be equal."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.apart import CONFIGS
from gnn_nas.files import is_leftover
from gnn_nas.locking import is_lock
from gnn_nas.run_folder import RunFolder
from gnn_nas.user_folders import CACHE_VARIABLE

_TINY = (
    "model.encoder.hidden=8",
    "model.encoder.layers=2",
    "model.embedding=8",
    "model.decoder_hidden=8",
    "model.predictor_hidden=8",
    "data.batch_size=16",
    "training.log_every=1",
    "training.validate_every=100",
    "training.checkpoint_every=7",
    "training.embedding_noise=0.01",
    "training.structure_weight=0.0",
    "function=null",
)
_CELL = "00005c142e6f48ac74fdcf73e3439874"
# Figures of the clock and of memory, and what depends on them.
_UNEQUAL = {"seconds", "wall_seconds", "steps_per_second", "peak_memory_mb", "latency"}

Left = dict[str, Any]
"""What is left by a command that has ended: by its name, what is to be equal."""


@dataclass(frozen=True)
class Scenario:
    """A command to be killed.

    Args:
        options: in which ``{out}`` stands for a folder, or the name of a file, of its own.
        resumes: whether ``--resume`` goes on with it; else the same call does.
        environment: beside the usual one, with ``{out}`` as well.
        left: what it has left at ``out``.
        kills, stops: how many SIGKILLs, and how many SIGTERMs and Ctrl-Cs.
    """

    name: str
    command: str
    options: tuple[str, ...]
    left: Callable[[Path], Left]
    resumes: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    kills: int = 0
    stops: int = 0


def pretraining(kills: int = 40, stops: int = 14, steps: int = 150) -> Scenario:
    """Pretraining of a tiny controller."""
    options = [f"--config={CONFIGS / 'gin_multisim.yaml'}", f"--max-steps={steps}", "--device=cpu"]
    options += [f"--set={value}" for value in _TINY]
    return Scenario(
        "pretraining", "pretrain", (*options, "--out={out}"), run_left, kills=kills, stops=stops
    )


def search() -> Scenario:
    """A search of measurements, of two seeds in two processes."""
    options = ("--queries=40", "--seeds=2", "--jobs=2", "--out={out}")
    return Scenario("search", "search", options, run_left, kills=30, stops=10)


def digits() -> Scenario:
    """A search by trainings, two at once."""
    options = ("--task=digits", "--method=random", "--queries=6", "--jobs=2", "--out={out}")
    return Scenario("digits", "search", options, run_left, kills=15, stops=6)


def enumeration() -> Scenario:
    """The first enumeration of all cells, by a command that needs no more than them."""
    return Scenario(
        "first enumeration",
        "export-cell",
        (_CELL, "--out={out}/cell"),
        lambda out: _files(out / "cache", out / "cell"),
        resumes=False,
        environment={CACHE_VARIABLE: "{out}/cache"},
        kills=10,
    )


def importing(source: Path) -> Scenario:
    """Import of a file in the official format."""
    return Scenario(
        "import",
        "import",
        (str(source), "--out={out}/imported.safetensors"),
        _files,
        resumes=False,
        kills=5,
    )


def run_left(path: Path) -> Left:
    """What a run or a search has left, without what its clock said; TensorBoard's files differ."""
    left: Left = {}
    for file in _regular(path):
        name = str(file.relative_to(path))
        if file.suffix in (".safetensors", ".yaml"):
            left[name] = file.read_bytes()
        elif file.name.startswith("history-"):
            with file.open(newline="", encoding="utf-8") as stream:
                left[name] = [_equal(row) for row in csv.DictReader(stream)]
        elif file.name == "summary.json":
            left[name] = _equal(json.loads(file.read_text(encoding="utf-8")))
        elif file.name == "metrics.jsonl":
            left[name] = RunFolder(file.parent).read_metrics()
        elif file.parent.name != "tensorboard":
            left[name] = None
    return left


def leftovers(path: Path) -> list[str]:
    """Names of temporary files and locks in a folder and those below it."""
    names = (file.name for file in path.rglob("*"))
    return sorted(name for name in names if is_leftover(name) or is_lock(name))


def _files(*paths: Path) -> Left:
    """Bytes of all files but compiled code and pictures, which name the time or the machine."""
    return {
        str(file.relative_to(path)): None if file.suffix == ".png" else file.read_bytes()
        for path in paths
        for file in _regular(path)
        if "numba" not in file.parts and file.suffix != ".svg"
    }


def _regular(path: Path) -> list[Path]:
    return sorted(file for file in path.rglob("*") if file.is_file())


def _equal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _equal(item) for key, item in value.items() if key not in _UNEQUAL}
    return [_equal(item) for item in value] if isinstance(value, list) else value
