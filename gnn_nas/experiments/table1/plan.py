"""What a comparison has to do: pretrainings with equally many anchors, and searches with each."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from gnn_nas.config import FROM_SCRATCH, load_config
from gnn_nas.config_file import read_mapping, upgraded
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.experiments.table1.paper import RANDOM
from gnn_nas.run_folder import RunFolder

COMMANDS = "gnn_nas.cli.main"
"""Runs the package's commands; by its name, as it lies above."""

# A short run is to have rows of metrics, validations and checkpoints as a long one has.
_LEAST = {"log_every": 100, "validate_every": 4, "checkpoint_every": 20}

# Losses are compared as the paper has them: all by edits, and none with more than its loss.
_FUNCTION = ("function=null", "data.positives_by=edits")

# Bytes that surely hold the last line of a history or of metrics.
_END = 16_384


@dataclass(frozen=True)
class Pretraining:
    """A pretraining run; see `Job`.

    Args:
        config: its file; folder: its run folder; steps: instead of the config's.
        intervals: in steps, by their names in the config.
        without: overrides that set aside what the paper has not.
    """

    config: Path
    folder: RunFolder
    steps: int
    intervals: dict[str, int]
    without: tuple[str, ...] = ()
    module = COMMANDS
    after = None

    @property
    def name(self) -> str:
        return f"pretrain {self.folder.path.name}"

    def options(self) -> list[str]:
        training = {"steps": self.steps, **self.intervals}
        changes = (f"--set=training.{key}={value}" for key, value in training.items())
        return [
            "pretrain",
            f"--config={self.config}",
            f"--out={self.folder.path}",
            "--resume",
            *changes,
            *(f"--set={each}" for each in self.without),
        ]

    def steps_done(self) -> int:
        return _last_number(self.folder.metrics, rb'^\{"step": (\d+),')


@dataclass(frozen=True)
class Search:
    """The searches with one checkpoint under one protocol, with all seeds; see `Job`.

    Args:
        checkpoint: run folder of a pretraining, or None for one from scratch.
        after: the pretraining, where it is a job too.
        benchmark: path, or None for the default.
    """

    checkpoint: RunFolder | None
    folder: RunFolder
    method: str
    protocol: str
    queries: int
    seeds: int
    benchmark: Path | None = None
    after: Pretraining | None = None
    module = COMMANDS

    @property
    def name(self) -> str:
        checkpoint = f", {self.checkpoint.path.name}" if self.checkpoint else ""
        return f"search {self.method}, {self.protocol}{checkpoint}"

    @property
    def steps(self) -> int:
        return self.queries * self.seeds

    def options(self) -> list[str]:
        values = {
            "checkpoint": self.checkpoint.path if self.checkpoint else FROM_SCRATCH,
            "method": self.method,
            "protocol": self.protocol,
            "queries": self.queries,
            "seeds": self.seeds,
            "out": self.folder.path,
            "jobs": 1,
        }
        if self.benchmark:
            values["benchmark"] = self.benchmark
        return ["search", *(f"--{key}={value}" for key, value in values.items()), "--resume"]

    def steps_done(self) -> int:
        histories = (self.folder.history(seed) for seed in range(self.seeds))
        return sum(_last_number(path, rb"^(\d+),") for path in histories)

    def check_finished(self) -> None:
        """Refuse a finished search that is not the one asked for. Raises UserError."""
        weights = self.checkpoint and self.checkpoint.weights
        asked = {
            "method": self.method,
            "protocol": self.protocol,
            "queries": self.queries,
            "seeds": self.seeds,
            "weights": weights and _fingerprint(weights),
        }
        path = self.folder.config
        made = upgraded(SearchConfig, read_mapping(path), path)
        for key, value in asked.items():
            if made.get(key) != value:
                raise UserError(
                    f"{self.folder.path} holds a search with other {key} ({made.get(key)}, now"
                    f" {value}): give another --out, or delete the folder"
                )


Job = Pretraining | Search
"""One call of a command, ``module`` with ``options``, which a finished run folder makes needless.

Its ``steps`` are what the progress bar counts, and ``steps_done`` looks how far it is; ``after`` is
the job whose result it needs.
"""


def plan_pretraining(config: Path, folder: RunFolder, anchors: int) -> Pretraining:
    """A run that sees ``anchors`` anchors, whatever its batches. Raises UserError."""
    resolved = load_config(config)
    steps = max(1, round(anchors / resolved.data.anchors))
    intervals = {
        key: min(getattr(resolved.training, key), max(1, steps // least))
        for key, least in _LEAST.items()
    }
    without = _FUNCTION if resolved.function else ()
    return Pretraining(config, folder, steps, intervals, without)


def find_checkpoint(name: str, out: Path, given: Path | None) -> tuple[RunFolder, bool]:
    """The run folder of a loss's checkpoint, and whether it is there already.

    Args:
        name: of the folder; out: where pretrainings are written; given: where checkpoints may be.

    Raises:
        UserError: the given folder has no weights.
    """
    if given and (given / name).exists():
        folder = RunFolder.open(given / name)
        folder.load_weights()
        return folder, True
    folder = RunFolder(out / name)
    return folder, folder.finished


def plan_searches(
    checkpoints: dict[str, tuple[RunFolder, Pretraining | None]],
    out: Path,
    method: str,
    protocols: list[str],
    queries: int,
    seeds: int,
    benchmark: Path | None,
) -> dict[tuple[str, str], Search]:
    """The searches by loss and protocol, random search last.

    Args:
        checkpoints: by loss, with the job that makes each, or None where it is there.
    """
    searches = {}
    for protocol in protocols:
        rest = protocol, queries, seeds, benchmark
        for loss, (checkpoint, pretraining) in checkpoints.items():
            folder = RunFolder(out / f"search-{method}-{protocol}-{checkpoint.path.name}")
            searches[loss, protocol] = Search(checkpoint, folder, method, *rest, pretraining)
        folder = RunFolder(out / f"search-{RANDOM}-{protocol}")
        searches[RANDOM, protocol] = Search(None, folder, RANDOM, *rest)
    return searches


def _last_number(path: Path, pattern: bytes) -> int:
    """The number with which the last whole line of a file begins; 0 where there is none.

    Looked for several times a second, so only the file's end is read.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - _END))
            end = stream.read()
    except FileNotFoundError:
        return 0
    whole = end[: end.rfind(b"\n") + 1]
    found = re.findall(pattern, whole, re.MULTILINE)
    return int(found[-1]) if found else 0


def _fingerprint(weights: Path) -> str | None:
    return hashlib.sha256(weights.read_bytes()).hexdigest() if weights.exists() else None
