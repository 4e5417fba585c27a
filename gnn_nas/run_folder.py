"""The layout of a run's folder, for all commands that write or read one."""

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gnn_nas import files
from gnn_nas.config_file import optional_keys, read_mapping, upgraded
from gnn_nas.errors import UserError, reported
from gnn_nas.locking import is_lock, writing
from gnn_nas.plain_yaml import parse_yaml, shortened

# torch takes a second to import, so it is imported where tensors are read or written.
if TYPE_CHECKING:
    from torch import Tensor, nn

# Far beyond any figure, and yet a number to draw.
_LARGEST = 1e300
# Values in which configs differ, in a message.
_MOST_NAMED = 10


class SavedConfig(Protocol):
    """A configuration that can be written to the folder."""

    def to_yaml(self) -> str:
        """Give the YAML text of ``config.yaml``."""


class RunFolder:
    """One run's folder.

    ``config.yaml`` and ``model.safetensors`` together rebuild the controller; ``checkpoint.pt`` is
    for resuming only; ``metrics.jsonl`` has a row per logged step; ``summary.json`` is written
    last, so a folder that has it holds a finished run. A search has a history and a controller's
    folder for every seed instead of weights of its own. Every file is whole or absent, but for the
    last line of ``metrics.jsonl`` and of a history. Use :meth:`claimed` to write a run and
    :meth:`open` to read one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.config = self.path / "config.yaml"
        self.weights = self.path / "model.safetensors"
        self.checkpoint = self.path / "checkpoint.pt"
        self.metrics = self.path / "metrics.jsonl"
        self.summary = self.path / "summary.json"
        self.curves = self.path / "curves.png"
        self.tensorboard = self.path / "tensorboard"
        self.search_curves = self.path / "search.png"
        self.best_cell = self.path / "best.png"

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], config: SavedConfig, resume: bool = False
    ) -> "RunFolder":
        """Make the folder of a new run, with its ``config.yaml``, or take up an interrupted one.

        Resuming what was never begun begins it, since a run can be killed before its first file.
        Raises :class:`UserError` if the folder cannot be written, holds something else than a run,
        holds a run and ``resume`` is false, or was begun with another config.
        """
        folder = cls(path)
        if folder._make():
            folder._refuse_unless_continued(config, resume)
        folder._refuse_obstacles()
        # Written on resume too: it finds out now whether the folder can be written.
        with reported(f"cannot write {folder.config}"):
            # Not before: a refused folder may be another run's, which is writing right now.
            files.remove_leftovers(folder.path)
            files.write_text(folder.config, config.to_yaml())
        return folder

    def refuse_taken(self, resume: bool) -> None:
        """Refuse what :meth:`create` refuses whatever the config, and write nothing.

        Raises :class:`UserError`.
        """
        with reported(f"cannot write the run folder {self.path}"):
            files.require_writable(self.path)
        if self.path.exists() and self._holds_run() and not resume:
            self._refuse_anew()

    @classmethod
    @contextmanager
    def claimed(
        cls, path: str | os.PathLike[str], config: SavedConfig, resume: bool = False
    ) -> Iterator["RunFolder"]:
        """:meth:`create`, and keep all other commands from writing the folder during the block.

        Raises :class:`UserError` also if another process is writing it.
        """
        # What is refused is left without as much as a lock.
        cls(path)._make()
        with writing(path):
            yield cls.create(path, config, resume)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "RunFolder":
        """Open a run's folder for reading. Raises :class:`UserError` if it is none."""
        folder = cls(path)
        if not folder.path.is_dir():
            raise UserError(f"{path}: no such run folder")
        if not folder.config.is_file():
            raise UserError(f"{path} is not a run folder: it has no {folder.config.name}")
        return folder

    @staticmethod
    def default_path(config_path: str | os.PathLike[str]) -> Path:
        """Give the folder of a run whose ``--out`` was not said: ``runs/<config name>``."""
        return Path("runs") / Path(config_path).stem

    def history(self, seed: int) -> Path:
        """Give the file of the queries of a search's seed."""
        return self.path / f"history-{seed}.csv"

    def controller(self, seed: int) -> "RunFolder":
        """Give the folder of the controller with which a search's seed has ended."""
        return RunFolder(self.path / f"controller-{seed}")

    @property
    def finished(self) -> bool:
        """Whether the run came to its end. Raises UserError where its summary is damaged."""
        return os.path.lexists(self.summary) and bool(self.load_summary())

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replace ``checkpoint.pt``: tensors and plain Python values only. Raises UserError."""
        import torch

        # Through memory: torch would report a full disk as a RuntimeError.
        buffer = io.BytesIO()
        torch.save(state, buffer)
        with reported(f"cannot write {self.checkpoint}"):
            files.write_bytes(self.checkpoint, buffer.getvalue())

    def load_checkpoint(self) -> dict[str, Any]:
        """Read ``checkpoint.pt`` onto the CPU.

        Raises :class:`UserError` if it is missing (a run killed early has none yet), damaged or no
        checkpoint.
        """
        import zipfile

        import torch

        try:
            content = _read(self.checkpoint)
        except FileNotFoundError:
            raise UserError(
                f"{self.checkpoint}: no such file, so there is nothing to resume"
            ) from None
        except OSError as error:
            raise self._unusable_checkpoint(error.strerror) from None
        try:
            # Torch does not look at the checksums.
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if any(part.compress_type for part in archive.infolist()):
                    raise ValueError("it is compressed")
                if damaged := archive.testzip():
                    raise ValueError(f"the checksum of {damaged} does not fit")
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except Exception as error:  # damaged bytes can raise anything in the unpickler
            raise self._unusable_checkpoint(_first_line(error)) from error
        if not isinstance(state, dict):
            raise self._unusable_checkpoint(f"it holds a {type(state).__name__}")
        return state

    def save_weights(self, state_dict: Mapping[str, "Tensor"]) -> None:
        """Replace ``model.safetensors``, with a checksum in its header. Raises UserError."""
        from gnn_nas import tensor_file

        with reported(f"cannot write {self.weights}"):
            files.write_bytes(self.weights, tensor_file.to_bytes(state_dict))

    def load_weights(self) -> dict[str, "Tensor"]:
        """Read ``model.safetensors`` onto the CPU. Raises UserError if missing or damaged."""
        from gnn_nas import tensor_file

        try:
            return tensor_file.from_bytes(_read(self.weights))
        except FileNotFoundError:
            raise self.no_weights() from None
        except OSError as error:
            raise UserError(f"{self.weights}: cannot read: {error.strerror}") from None
        except ValueError as error:
            raise UserError(
                f"{self.weights} is damaged or no weights file ({_first_line(error)}):"
                " copy it anew or repeat the run"
            ) from error

    def append_metrics(self, row: Mapping[str, Any]) -> None:
        """Append one row, with a ``step``, to ``metrics.jsonl``; NaN and infinities become null."""
        with (
            reported(f"cannot write {self.metrics}"),
            self.metrics.open("a", encoding="utf-8") as stream,
        ):
            stream.write(files.to_json(row) + "\n")

    def read_metrics(self) -> list[dict[str, Any]]:
        """Read all whole rows of ``metrics.jsonl``; a torn last line is left out.

        Raises :class:`UserError` if another line is no row.
        """
        try:
            lines = _read(self.metrics).split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UserError(f"{self.metrics}: cannot read: {error.strerror}") from None
        rows = []
        for number, line in enumerate(lines, start=1):
            row = _parsed(line)
            if row is None or not _is_row(row):
                raise UserError(
                    f"{self.metrics}: line {number} is no row of metrics: mend or delete the line"
                )
            rows.append(row)
        return rows

    def cut_metrics(self, step: int) -> None:
        """Drop the rows after ``step``, and a torn last line, before the run goes on from there."""
        kept = [row for row in self.read_metrics() if row["step"] <= step]
        with reported(f"cannot write {self.metrics}"):
            files.write_text(self.metrics, "".join(files.to_json(row) + "\n" for row in kept))

    def save_summary(self, summary: Mapping[str, Any]) -> None:
        """Write ``summary.json``, which marks the run as finished. Raises UserError."""
        with reported(f"cannot write {self.summary}"):
            files.write_json(self.summary, summary)

    def load_summary(self) -> dict[str, Any]:
        """Read ``summary.json``. Raises :class:`UserError` if it is missing or damaged."""
        try:
            summary = _parsed(_read(self.summary))
        except OSError as error:
            raise UserError(f"{self.summary}: cannot read: {error.strerror}") from None
        if not summary:
            raise UserError(
                f"{self.summary} is damaged or no summary: delete it and --resume the run"
            )
        return summary

    def _make(self) -> bool:
        """Make the folder if it is not there, and say whether it holds a run.

        Raises :class:`UserError` if it holds something else.
        """
        with reported(f"cannot write the run folder {self.path}"):
            self.path.mkdir(parents=True, exist_ok=True)
        return self._holds_run()

    def _holds_run(self) -> bool:
        with reported(f"cannot write the run folder {self.path}"):
            names = sorted(entry.name for entry in self.path.iterdir())
        entries = [name for name in names if not (files.is_leftover(name) or is_lock(name))]
        if self.config.name in entries:
            return True
        if entries:
            raise UserError(
                f"{self.path} holds files that no run wrote ({', '.join(entries[:3])}"
                f"{', ...' if len(entries) > 3 else ''}): give another --out"
            )
        return False

    def _refuse_obstacles(self) -> None:
        """Find out now, not when it has ended, what would keep a run from writing its files."""
        folders = (self.path, self.tensorboard)
        for path in vars(self).values():
            with reported(f"cannot read {path}"):
                if path.exists() and path.is_dir() != (path in folders):
                    here, there = ("file", "folder") if path in folders else ("folder", "file")
                    raise UserError(
                        f"{path} is a {here}, but a run writes a {there} there: remove it"
                    )

    def _refuse_anew(self) -> None:
        state = "a finished" if self.finished else "an unfinished"
        remedy = "give another --out" if self.finished else "continue it with --resume"
        raise UserError(f"{self.path} holds {state} run: {remedy}, or delete the folder")

    def _refuse_unless_continued(self, config: SavedConfig, resume: bool) -> None:
        if not resume:
            self._refuse_anew()
        kind = type(config)
        written = parse_yaml(config.to_yaml(), "the given config")
        begun = _flat(upgraded(kind, read_mapping(self.config), self.config))
        begun = {**optional_keys(kind), **begun}
        asked = _flat(upgraded(kind, written, "the given config"))
        differing = [
            f"{shortened(key)} was {shortened(str(begun.get(key, 'absent')))},"
            f" now {shortened(str(asked.get(key, 'absent')))}"
            for key in sorted(begun.keys() | asked.keys())
            if key not in begun or key not in asked or not _is_same(begun[key], asked[key])
        ]
        if differing:
            more = "; ..." if len(differing) > _MOST_NAMED else ""
            raise UserError(
                f"{self.path} was begun with another config"
                f" ({'; '.join(differing[:_MOST_NAMED])}{more}):"
                " resume with its own, or give another --out"
            )

    def no_weights(self) -> UserError:
        """What is wrong where there are no weights yet, to be raised."""
        return UserError(f"{self.weights}: no such file; a run writes its weights when it ends")

    def _unusable_checkpoint(self, reason: str) -> UserError:
        return UserError(
            f"{self.checkpoint} is damaged or no checkpoint ({reason}): delete the file and"
            " --resume to run from step 0"
        )


def _is_same(begun: Any, asked: Any) -> bool:
    # What identifies a benchmark ended without a checksum before.
    return begun == asked or str(asked).startswith(f"{begun}, checksum ")


def _read(path: Path) -> bytes:
    with files.open_regular(path) as stream:
        return stream.read()


def _parsed(text: bytes) -> dict[str, Any] | None:
    """Give a mapping that was written as strict JSON, or nothing where it is something else."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        value = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_row(row: dict[str, Any]) -> bool:
    """Whether it is of a step, and all but its kind are numbers or unknown."""
    figures = [value for key, value in row.items() if key != "kind"]
    numbers = [value for value in figures if value is not None]
    return (
        type(row.get("step")) is int
        and row["step"] >= 0
        and isinstance(row.get("kind", ""), str)
        and all(type(value) in (int, float) and abs(value) < _LARGEST for value in numbers)
    )


def load_into(module: "nn.Module", state_dict: Mapping[str, "Tensor"], source: object) -> None:
    """Copy weights into a module.

    Floating-point numbers of two bytes or more are converted where they are of another precision.

    Raises :class:`UserError`, naming ``source`` and the first tensor that differs, if the weights
    are those of another architecture, or are none; the module is unchanged then.
    """
    refuse_other_architecture(module, state_dict, source)
    for name, own in module.state_dict().items():
        given = state_dict[name]
        converts = given.is_floating_point() and given.itemsize > 1 and own.is_floating_point()
        if not converts and given.dtype != own.dtype:
            raise UserError(f"{source} holds no weights: {name} is {given.dtype}, not {own.dtype}")
        if not given.to(own.dtype).isfinite().all():
            raise UserError(f"{source} holds no weights: {name} has NaN or infinite numbers")
    module.load_state_dict(state_dict)


def refuse_other_architecture(
    module: "nn.Module", state_dict: Mapping[str, "Tensor"], source: object
) -> None:
    """Raise :class:`UserError` unless weights have a module's names and shapes.

    The module may be on the ``meta`` device, where it takes no memory.
    """
    own = module.state_dict()
    for name in [*own, *(name for name in state_dict if name not in own)]:
        here = tuple(own[name].shape) if name in own else "absent"
        there = tuple(state_dict[name].shape) if name in state_dict else "absent"
        if here != there:
            raise UserError(
                f"{source} holds another architecture than the config: {name} is {there} there,"
                f" {here} here"
            )


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(".:")


def _flat(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Give nested sections as one mapping with dotted keys."""
    flat = {}
    for key, value in section.items():
        # An empty mapping has no keys to stand for it, so it stands for itself.
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
