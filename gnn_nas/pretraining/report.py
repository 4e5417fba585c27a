"""What a run tells while it goes: progress bar, metrics file and TensorBoard."""

from __future__ import annotations

from typing import Any, Self

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from gnn_nas.errors import reported
from gnn_nas.progress import Progress
from gnn_nas.run_folder import RunFolder

_SHOWN = ("token_accuracy", "exact_match", "precision_at_1", "map_at_r", "prior_validity")


class Report:
    """Writes every figure to ``metrics.jsonl`` and TensorBoard and the latest to the terminal.

    Args:
        folder: the run's folder; steps: of the whole run; step: at which it starts.
    """

    def __init__(self, folder: RunFolder, steps: int, step: int) -> None:
        # Imported here: it takes a second.
        from torch.utils.tensorboard import SummaryWriter

        self.folder = folder
        with reported(f"cannot write {folder.tensorboard}"):
            self.writer = SummaryWriter(str(folder.tensorboard), purge_step=step + 1)
        # Fills the 80 columns of a plain terminal; what is wider would be cut.
        self.progress = Progress(
            BarColumn(bar_width=8),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}"),
            TextColumn("{task.fields[pace]}"),
            TimeRemainingColumn(),
        )
        self.task = self.progress.add_task("step", total=steps, completed=step, losses="", pace="")

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.progress.__exit__(*raised)
        self.writer.close()

    def advance(self) -> None:
        """One step is done."""
        self.progress.advance(self.task)

    def train(self, step: int, losses: dict[str, float]) -> None:
        """Note the mean losses of the last steps."""
        self._write("train", step, losses)
        speed = self.progress.tasks[0].speed
        self.progress.update(
            self.task,
            losses=f"rec {losses['reconstruction']:.4f} metric {losses['metric']:.4f}"
            f" tokens {losses['token_accuracy']:.2%}",
            pace=f"{speed:.1f} steps/s" if speed else "",
        )

    def validation(self, step: int, figures: dict[str, float]) -> None:
        """Note the figures of a validation and print the main ones as a line that stays."""
        self._write("validation", step, figures)
        shown = "  ".join(f"{name} {figures[name]:.4f}" for name in _SHOWN)
        self.progress.say(f"step {step}: {shown}")

    def say(self, what: str) -> None:
        """Show what is going on instead of the losses."""
        self.progress.update(self.task, losses=what, pace="")

    def _write(self, kind: str, step: int, figures: dict[str, Any]) -> None:
        self.folder.append_metrics({"step": step, "kind": kind, **figures})
        for name, value in figures.items():
            self.writer.add_scalar(f"{kind}/{name}", value, step)
