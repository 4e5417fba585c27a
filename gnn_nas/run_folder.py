"""The layout of a run's folder, for all commands that write or read one."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas import files
from gnn_nas.continuing import grown_keys
from gnn_nas.errors import UserError, reported
from gnn_nas.locking import is_lock, writing
from gnn_nas.metrics_rows import parse_rows

# torch takes a second to import, so it is imported where tensors are read or written.
if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.config import RunConfig


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
        cls,
        path: str | os.PathLike[str],
        config: RunConfig,
        resume: bool = False,
        may_grow: Collection[str] = (),
    ) -> RunFolder:
        """Make the folder of a new run, with its ``config.yaml``, or take up the one that it holds.

        Resuming what was never begun begins it, since a run can be killed before its first file.
        One that was begun with a smaller number at a key of ``may_grow`` goes on with the larger
        one: a finished run is an unfinished one then, without its summary and with the new config,
        and keeps all else. Killed before it has both, it is an unfinished run of the smaller one.

        Args:
            may_grow: dotted keys, as ``training.steps``.

        Raises:
            UserError: the folder cannot be written, holds something else than a run, holds a run
                and ``resume`` is false, or was begun with a config that differs in anything else.
        """
        folder = cls(path)
        grown: list[str] = []
        if folder._make():
            if not resume:
                folder._refuse_anew()
            grown = grown_keys(folder.config, config, may_grow)
        folder._refuse_obstacles()
        # Written on resume too: it finds out now whether the folder can be written.
        with reported(f"cannot write {folder.config}"):
            # Not before: a refused folder may be another run's, which is writing right now.
            files.remove_leftovers(folder.path)
            if grown:
                folder.summary.unlink(missing_ok=True)
            files.write_text(folder.config, config.to_yaml())
        return folder

    @classmethod
    @contextmanager
    def claimed(
        cls,
        path: str | os.PathLike[str],
        config: RunConfig,
        resume: bool = False,
        may_grow: Collection[str] = (),
    ) -> Iterator[RunFolder]:
        """:meth:`create`, and keep all other commands from writing the folder during the block.

        Raises:
            UserError: also if another process is writing it.
        """
        # What is refused is left without as much as a lock.
        cls(path)._make()
        with writing(path):
            yield cls.create(path, config, resume, may_grow)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> RunFolder:
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

    def refuse_taken(self, resume: bool) -> None:
        """Refuse what :meth:`create` refuses whatever the config, and write nothing.

        Raises :class:`UserError`.
        """
        with reported(f"cannot write the run folder {self.path}"):
            files.require_writable(self.path)
        if self.path.exists() and self._holds_run() and not resume:
            self._refuse_anew()

    def history(self, seed: int) -> Path:
        """Give the file of the queries of a search's seed."""
        return self.path / f"history-{seed}.csv"

    def controller(self, seed: int) -> RunFolder:
        """Give the folder of the controller with which a search's seed has ended."""
        return RunFolder(self.path / f"controller-{seed}")

    @property
    def finished(self) -> bool:
        """Whether the run came to its end. Raises UserError where its summary is damaged."""
        return os.path.lexists(self.summary) and bool(self.load_summary())

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replace ``checkpoint.pt``: tensors and plain Python values only. Raises UserError."""
        from gnn_nas import torch_file

        with reported(f"cannot write {self.checkpoint}"):
            files.write_bytes(self.checkpoint, torch_file.to_bytes(state))

    def load_checkpoint(self) -> dict[str, Any]:
        """Read ``checkpoint.pt`` onto the CPU.

        Raises :class:`UserError` if it is missing (a run killed early has none yet), damaged or no
        checkpoint.
        """
        from gnn_nas import torch_file

        try:
            state = torch_file.from_bytes(files.read_regular(self.checkpoint))
            if not isinstance(state, dict):
                raise ValueError(f"it holds a {type(state).__name__}")
        except FileNotFoundError:
            raise UserError(
                f"{self.checkpoint}: no such file, so there is nothing to resume"
            ) from None
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self.checkpoint} is damaged or no checkpoint ({_reason(error)}): delete the file"
                " and --resume to run from step 0"
            ) from error
        return state

    def save_weights(self, state_dict: Mapping[str, Tensor]) -> None:
        """Replace ``model.safetensors``, with a checksum in its header. Raises UserError."""
        from gnn_nas import tensor_file

        with reported(f"cannot write {self.weights}"):
            files.write_bytes(self.weights, tensor_file.to_bytes(state_dict))

    def load_weights(self) -> dict[str, Tensor]:
        """Read ``model.safetensors`` onto the CPU. Raises UserError if missing or damaged."""
        from gnn_nas import tensor_file

        if not os.path.lexists(self.weights):
            raise self.no_weights()
        try:
            return tensor_file.from_bytes(self._read(self.weights))
        except ValueError as error:
            raise UserError(
                f"{self.weights} is damaged or no weights file ({_reason(error)}):"
                " copy it anew or repeat the run"
            ) from error

    def no_weights(self) -> UserError:
        """What is wrong where there are no weights yet, to be raised."""
        return UserError(f"{self.weights}: no such file; a run writes its weights when it ends")

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
        if not os.path.lexists(self.metrics):
            return []
        return parse_rows(self._read(self.metrics), self.metrics)

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
        summary = files.parse_json(self._read(self.summary))
        if not summary:
            raise UserError(
                f"{self.summary} is damaged or no summary: delete it and --resume the run"
            )
        return summary

    @staticmethod
    def _read(path: Path) -> bytes:
        with reported(f"{path}: cannot read"):
            return files.read_regular(path)

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

    def _refuse_anew(self) -> None:
        state = "a finished" if self.finished else "an unfinished"
        remedy = "give another --out" if self.finished else "continue it with --resume"
        raise UserError(f"{self.path} holds {state} run: {remedy}, or delete the folder")

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


def _reason(error: OSError | ValueError) -> str:
    text = error.strerror if isinstance(error, OSError) else str(error)
    return (text or str(error)).splitlines()[0].rstrip(".:")
