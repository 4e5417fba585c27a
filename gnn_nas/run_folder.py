"""The layout of a run's folder, for all commands that write or read one."""

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gnn_nas import files
from gnn_nas.config_file import read_mapping
from gnn_nas.errors import UserError, reported
from gnn_nas.plain_yaml import parse_yaml

# torch takes a second to import, so it is imported where tensors are read or written.
if TYPE_CHECKING:
    from torch import Tensor, nn


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
    last line of ``metrics.jsonl`` and of a history. Use :meth:`create` to write a run and
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
        with reported(f"cannot write the run folder {path}"):
            folder.path.mkdir(parents=True, exist_ok=True)
            names = sorted(entry.name for entry in folder.path.iterdir())
        entries = [name for name in names if not files.is_leftover(name)]
        if folder.config.name in entries:
            folder._refuse_unless_continued(config, resume)
        elif entries:
            raise UserError(
                f"{path} holds files that no run wrote ({', '.join(entries[:3])}"
                f"{', ...' if len(entries) > 3 else ''}): give another --out"
            )
        # Written on resume too: it finds out now whether the folder can be written.
        with reported(f"cannot write {folder.config}"):
            # Not before: a refused folder may be another run's, which is writing right now.
            files.remove_leftovers(folder.path)
            files.write_text(folder.config, config.to_yaml())
        return folder

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
        """Whether the run came to its end."""
        return self.summary.exists()

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
        import torch

        if not self.checkpoint.exists():
            raise UserError(f"{self.checkpoint}: no such file, so there is nothing to resume")
        try:
            state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        except Exception as error:  # damaged bytes can raise anything in the unpickler
            raise self._unusable_checkpoint(_first_line(error)) from error
        if not isinstance(state, dict):
            raise self._unusable_checkpoint(f"it holds a {type(state).__name__}")
        return state

    def save_weights(
        self, state_dict: Mapping[str, "Tensor"], metadata: Mapping[str, str] | None = None
    ) -> None:
        """Replace ``model.safetensors``, with ``metadata`` in its header. Raises UserError."""
        from safetensors.torch import save

        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state_dict.items()}
        with reported(f"cannot write {self.weights}"):
            files.write_bytes(self.weights, save(tensors, dict(metadata or {})))

    def load_weights(self) -> dict[str, "Tensor"]:
        """Read ``model.safetensors`` onto the CPU. Raises UserError if missing or damaged."""
        from safetensors import SafetensorError
        from safetensors.torch import load

        try:
            return load(self.weights.read_bytes())
        except FileNotFoundError:
            raise UserError(
                f"{self.weights}: no such file; a run writes its weights when it ends"
            ) from None
        except OSError as error:
            raise UserError(f"{self.weights}: cannot read: {error.strerror}") from None
        except (SafetensorError, ValueError, KeyError) as error:
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
            lines = self.metrics.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UserError(f"{self.metrics}: cannot read: {error.strerror}") from None
        rows = []
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                row["step"]
            except (ValueError, TypeError, KeyError):
                raise UserError(
                    f"{self.metrics}: line {number} is no row of metrics: mend or delete the line"
                ) from None
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
            summary = json.loads(self.summary.read_bytes())
            summary.keys()
        except OSError as error:
            raise UserError(f"{self.summary}: cannot read: {error.strerror}") from None
        except (ValueError, AttributeError):
            raise UserError(
                f"{self.summary} is damaged or no summary: delete it and --resume the run"
            ) from None
        return summary

    def _refuse_unless_continued(self, config: SavedConfig, resume: bool) -> None:
        if not resume:
            state = "a finished" if self.finished else "an unfinished"
            remedy = "give another --out" if self.finished else "continue it with --resume"
            raise UserError(f"{self.path} holds {state} run: {remedy}, or delete the folder")
        begun = _flat(read_mapping(self.config))
        asked = _flat(parse_yaml(config.to_yaml(), "the given config"))
        differing = [
            f"{key} was {begun.get(key, 'absent')}, now {asked.get(key, 'absent')}"
            for key in sorted(begun.keys() | asked.keys())
            if key not in begun or key not in asked or begun[key] != asked[key]
        ]
        if differing:
            raise UserError(
                f"{self.path} was begun with another config ({'; '.join(differing)}):"
                " resume with its own, or give another --out"
            )

    def _unusable_checkpoint(self, reason: str) -> UserError:
        return UserError(
            f"{self.checkpoint} is damaged or no checkpoint ({reason}): delete the file and"
            " --resume to run from step 0"
        )


def load_into(module: "nn.Module", state_dict: Mapping[str, "Tensor"], source: object) -> None:
    """Copy weights into a module.

    Raises :class:`UserError`, naming ``source`` and the first tensor that differs, if the weights
    are those of another architecture; the module is unchanged then.
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
    module.load_state_dict(state_dict)


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
