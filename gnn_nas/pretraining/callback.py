"""What a pretraining run tells while it goes, and to whom."""

from __future__ import annotations

from typing import Any


class Callback:
    """Is told what happens in a run; a subclass overrides what it wants to hear of.

    All calls come from the process that trains, of torchrun's from the main one. What they raise
    ends the run, which can be resumed from its last checkpoint.
    """

    def on_begin(self, step: int, steps: int) -> None:
        """Training begins at ``step``, 0 or where the run is resumed, and goes on to ``steps``."""

    def on_step(self, step: int) -> None:
        """A step is done, and ``step`` are in all."""

    def on_train(self, step: int, losses: dict[str, float]) -> None:
        """Every ``training.log_every`` steps: their mean losses, and the learning rate."""

    def on_validation(self, step: int, figures: dict[str, float]) -> None:
        """Every ``training.validate_every`` steps and at the end: figures on held-out cells."""

    def on_end(self, metrics: list[dict[str, Any]], summary: dict[str, Any]) -> None:
        """The run has come to its end; its folder, if any, does not count as finished yet.

        Args:
            metrics: the rows of ``metrics.jsonl``, with ``step`` and ``kind``.
            summary: the final figures.
        """
