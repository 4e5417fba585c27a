"""Who is told of a run: its rows of metrics, in memory or in a folder, and the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from gnn_nas.errors import reported
from gnn_nas.pretraining.callback import Callback
from gnn_nas.progress import Progress
from gnn_nas.run_folder import RunFolder

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_SHOWN = ("token_accuracy", "exact_match", "precision_at_1", "map_at_r", "prior_validity")


class Metrics(Callback):
    """Keeps every figure as a row of ``metrics.jsonl`` and, with a folder, writes it.

    Args:
        folder: of the run; its ``metrics.jsonl`` and TensorBoard get all figures.
        step: at which the run goes on; of rows that the folder has, later ones are dropped.
    """

    def __init__(self, folder: RunFolder | None, step: int) -> None:
        self.folder = folder
        self.rows: list[dict[str, Any]] = []
        self.writer: SummaryWriter | None = None
        if folder is None:
            return
        # Imported here: it takes a second.
        from torch.utils.tensorboard import SummaryWriter

        folder.cut_metrics(step)
        self.rows = folder.read_metrics()
        with reported(f"cannot write {folder.tensorboard}"):
            self.writer = SummaryWriter(str(folder.tensorboard), purge_step=step + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        if self.writer is not None:
            self.writer.close()

    def on_train(self, step: int, losses: dict[str, float]) -> None:
        self._note("train", step, losses)

    def on_validation(self, step: int, figures: dict[str, float]) -> None:
        self._note("validation", step, figures)

    def _note(self, kind: str, step: int, figures: dict[str, float]) -> None:
        self.rows.append({"step": step, "kind": kind, **figures})
        if self.folder is not None and self.writer is not None:
            self.folder.append_metrics(self.rows[-1])
            for name, value in figures.items():
                self.writer.add_scalar(f"{kind}/{name}", value, step)


class ProgressBar(Callback):
    """Shows the latest figures on the terminal; as a context it also ends where the run fails."""

    def __init__(self) -> None:
        self.progress = _bar()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.progress.tasks:
            self.progress.__exit__(kind)
            self.progress = _bar()

    def on_begin(self, step: int, steps: int) -> None:
        self.progress.add_task("step", total=steps, completed=step, losses="", pace="")
        self.progress.start()
        self.on_step(step)

    def on_step(self, step: int) -> None:
        (task,) = self.progress.tasks
        self.progress.update(task.id, completed=step)
        if task.finished:
            self.progress.update(task.id, losses="final validation", pace="")

    def on_train(self, step: int, losses: dict[str, float]) -> None:
        (task,) = self.progress.tasks
        if not task.finished:
            self.progress.update(
                task.id,
                losses=f"rec {losses['reconstruction']:.4f} metric {losses['metric']:.4f}"
                f" tokens {losses['token_accuracy']:.2%}",
                pace=f"{task.speed:.1f} steps/s" if task.speed else "",
            )

    def on_validation(self, step: int, figures: dict[str, float]) -> None:
        """Print the main ones as a line that stays."""
        shown = "  ".join(f"{name} {figures[name]:.4f}" for name in _SHOWN)
        self.progress.say(f"step {step}: {shown}")

    def on_end(self, metrics: list[dict[str, Any]], summary: dict[str, Any]) -> None:
        self.__exit__(None)


def _bar() -> Progress:
    # Fills the 80 columns of a plain terminal; what is wider would be cut.
    return Progress(
        BarColumn(bar_width=8),
        MofNCompleteColumn(),
        TextColumn("{task.fields[losses]}"),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
    )
