"""What a search shows while it goes: how far every seed is, and the best it has found."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn

from gnn_nas.experiments.searches.config import SearchConfig
from gnn_nas.progress import Description, Progress
from gnn_nas.run_folder import RunFolder

# Of a history's columns.
_REWARD = 2


class SearchProgress:
    """Follows the histories in a run folder, whoever writes them.

    Args:
        folder: the run's folder; config: of the search.
        percent: whether rewards are accuracies.
    """

    def __init__(self, folder: RunFolder, config: SearchConfig, percent: bool = True) -> None:
        self.percent = percent
        self.progress = Progress(
            Description(),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[best]}"),
            TimeElapsedColumn(),
        )
        self._followed = {
            self.progress.add_task(
                f"seed {seed}", total=config.queries, start=False, best=""
            ): FollowedHistory(folder.history(seed))
            for seed in config.all_seeds
        }
        self._trainings: TaskID | None = None

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.progress.__exit__(kind)

    def update(self) -> None:
        """Look at the histories again."""
        for task, history in self._followed.items():
            if not history.look():
                continue
            best = "" if history.best is None else f"best reward {self._shown(history.best)}"
            self.progress.start_task(task)
            self.progress.update(task, completed=history.queries, best=best)

    def count_trainings(self, made: int, running: int) -> None:
        """Say how many trainings this call has made, and how many are being made."""
        if self._trainings is None:
            self._trainings = self.progress.add_task("trainings", total=None, best="")
        self.progress.update(self._trainings, completed=made, best=f"{running} running")

    def _shown(self, reward: float) -> str:
        return f"{100 * reward:.2f} %" if self.percent else f"{reward:.4f}"


class FollowedHistory:
    """How many queries a history has and the best reward; only what is new is read.

    Nothing is checked: the search that goes on with it does that.

    Args:
        path: the file, see `gnn_nas.search.history.History`; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.queries = 0
        self.best: float | None = None
        self._read = 0

    def look(self) -> bool:
        """Read the lines that have been appended, and say whether there were any."""
        try:
            with self.path.open("rb") as stream:
                stream.seek(self._read)
                new = stream.read()
        except FileNotFoundError:
            return False
        # A line without its end is still being written.
        new = new[: new.rfind(b"\n") + 1]
        lines = list(csv.reader(new.decode(errors="replace").splitlines()))
        header = self._read == 0
        self._read += len(new)
        for line in lines[header:]:
            self.queries += 1
            reward = _finite(line[_REWARD]) if len(line) > _REWARD else None
            if reward is not None:
                self.best = reward if self.best is None else max(self.best, reward)
        return bool(lines)


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
