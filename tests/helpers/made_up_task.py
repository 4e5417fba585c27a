"""A task that trains nothing: what it does depends on the cell, and it notes what it was asked."""

import math
import os
import signal
import time
from pathlib import Path


class Task:
    """Rewards cells by their edges. Cells of the wanted kinds misbehave.

    Args:
        notes: a file that gets a line for every training begun; seconds: that one takes.
        misbehave: a kind for some values of the edge bitmask modulo 7.
    """

    name = "made-up"
    fingerprint = "0" * 64
    trainings = 1
    timeout = None
    cost = "parameters"
    has_test = True

    def __init__(self, notes: Path, seconds: float = 0.0, misbehave: dict | None = None) -> None:
        self.notes = notes
        self.seconds = seconds
        self.misbehave = misbehave or {}

    def train(self, cell, seed):
        from gnn_nas.tasks.task import Diverged, TrainingResult

        edges = cell.edges.item()
        with self.notes.open("a") as stream:
            stream.write(f"{edges} {seed} {os.getpid()}\n")
        time.sleep(self.seconds)
        match self.misbehave.get(edges % 7):
            case "raise":
                raise ValueError("of the cell")
            case "diverge":
                raise Diverged("the loss is nan in epoch 1")
            case "nan":
                return TrainingResult(math.nan)
            case "exit":
                raise SystemExit(3)
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "be asked to end":
                os.kill(os.getpid(), signal.SIGTERM)
            case "hang":
                time.sleep(1000)
            case "stop":
                return TrainingResult(0.1, {"parameters": edges}, stopped=True)
        return TrainingResult(
            edges % 101 / 100 + seed, {"parameters": edges, "accuracy": edges % 11}
        )

    def test(self, cell, seed):
        from gnn_nas.tasks.task import TestResult

        return TestResult({"test": 0.5 + seed}, b"weights")
