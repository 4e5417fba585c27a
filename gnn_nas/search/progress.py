"""What a search shows while it goes: how far every seed is, and the best it has found."""

from __future__ import annotations

from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from gnn_nas.run_folder import RunFolder
from gnn_nas.search.config import SearchConfig
from gnn_nas.search.history import History
from gnn_nas.search.outcome import best_so_far


class SearchProgress:
    """Follows the histories in a run folder, whoever writes them.

    Args:
        folder: the run's folder; config: of the search.
        report_columns: of its histories.
        percent: whether rewards are accuracies.
    """

    def __init__(
        self,
        folder: RunFolder,
        config: SearchConfig,
        report_columns: tuple[str, ...],
        percent: bool = True,
    ) -> None:
        self.report_columns = report_columns
        self.percent = percent
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[best]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._tasks = {
            folder.history(seed): self.progress.add_task(
                f"seed {seed}", total=config.queries, start=False, best=""
            )
            for seed in config.all_seeds
        }
        self._sizes: dict = {}
        self._trainings: TaskID | None = None

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def update(self) -> None:
        """Look at the histories again."""
        for path, task in self._tasks.items():
            size = path.stat().st_size if path.exists() else 0
            if size == self._sizes.get(path, 0):
                continue
            self._sizes[path] = size
            rewards = [
                query.evaluation.reward for query in History(path, self.report_columns).queries
            ]
            best = best_so_far(rewards)[-1:]
            known = best and best[0] is not None
            self.progress.start_task(task)
            self.progress.update(
                task,
                completed=len(rewards),
                best=f"best reward {self._shown(rewards[best[0]])}" if known else "",
            )

    def count_trainings(self, made: int, running: int) -> None:
        """Say how many trainings this call has made, and how many are being made."""
        if self._trainings is None:
            self._trainings = self.progress.add_task("trainings", total=None, best="")
        self.progress.update(self._trainings, completed=made, best=f"{running} running")

    def _shown(self, reward: float) -> str:
        return f"{100 * reward:.2f} %" if self.percent else f"{reward:.4f}"
