"""How far a command is: bars on a terminal, a plain line now and then everywhere else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import rich.progress
from rich.console import Console
from rich.progress import (
    BarColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from gnn_nas.terminal import printable

# Seconds between two plain lines; what takes less says nothing.
_EVERY = 30.0


class Description(TextColumn):
    """What a task is called, which may have brackets as files' names have."""

    def __init__(self) -> None:
        super().__init__("{task.description}", markup=False)


class Progress(rich.progress.Progress):
    """Rich's progress on standard error; in a log or a pipe, a line every half minute.

    The plain line has every running task: its description, then what the columns show of it.

    Args:
        columns: see `rich.progress.Progress`; transient: whether nothing of it stays.
    """

    def __init__(self, *columns: ProgressColumn, transient: bool = False) -> None:
        stream = getattr(sys.stderr, "unescaped", lambda: sys.stderr)()
        console = Console(file=stream)
        super().__init__(
            *columns,
            console=console,
            auto_refresh=console.is_interactive,
            transient=transient,
        )
        self._ended = threading.Event()
        self._plain = threading.Thread(target=self._say_now_and_then, daemon=True)

    def start(self) -> None:
        """Begin to show the tasks."""
        super().start()
        if not self.console.is_interactive:
            self._plain.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # What has gone wrong is said in one line, which a log has alone.
        if kind is not None and not self.console.is_interactive:
            self.live.transient = True
        self.stop()

    def stop(self) -> None:
        """Show them for the last time."""
        self._ended.set()
        if self.live.transient:
            self.live.stop()
        else:
            super().stop()

    def add_task(self, description: str, *given: Any, **options: Any) -> TaskID:
        """See `rich.progress.Progress.add_task`."""
        return super().add_task(printable(description), *given, **options)

    def update(self, task_id: TaskID, *, description: str | None = None, **options: Any) -> None:
        """See `rich.progress.Progress.update`."""
        if description is not None:
            options["description"] = printable(description)
        super().update(task_id, **options)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)

    def _say_now_and_then(self) -> None:
        while not self._ended.wait(_EVERY):
            running = [task for task in self.tasks if task.started and not task.finished]
            if running:
                self.say("; ".join(map(self._line, running)))

    def _line(self, task: Task) -> str:
        texts = [task.description]
        for column in self.columns:
            if isinstance(column, str | BarColumn | SpinnerColumn | Description):
                continue
            text = str(column.render(task)).strip()
            texts.append(f"{text} left" if isinstance(column, TimeRemainingColumn) else text)
        return " ".join(filter(None, texts))


@contextmanager
def working(on: str) -> Iterator[None]:
    """Show that something goes on whose end nobody knows."""
    progress = Progress(SpinnerColumn("line"), Description(), TimeElapsedColumn(), transient=True)
    with progress:
        progress.add_task(on, total=None)
        yield
