"""One training as a piece of work that any process can do, and what came of it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from gnn_nas.errors import described
from gnn_nas.references import look_in
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace
from gnn_nas.tasks.task import Diverged, Task

Purpose = Literal["search", "test"]
"""For a reward, or to be judged by held-out data."""
State = Literal["done", "stopped", "diverged", "failed", "timeout", "crashed"]
"""Whole; given up as hopeless; NaN; raised an exception; took too long; took its process along."""


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A training to be made: a cell in plain numbers, which are cheap to send, and a seed.

    Args:
        module_hash: what the cell is called, see `gnn_nas.spaces.index.CellIndex.hash_of`.
    """

    module_hash: str
    vertices: int
    edges: int
    ops: tuple[int, ...]
    seed: int
    purpose: Purpose
    space: CellSpace = NASBENCH101

    @classmethod
    def of_row(cls, table: CellIndex, row: int, seed: int, purpose: Purpose) -> TrainingJob:
        """The training of the cell of a row."""
        cells = table.cells
        return cls(
            table.hash_of(row),
            int(cells.vertices[row]),
            int(cells.edges[row]),
            tuple(cells.ops[row].tolist()),
            seed,
            purpose,
            table.space,
        )

    def cell(self) -> PackedCells:
        """The cell, a batch of one."""
        vertices, edges, ops = (torch.tensor([x]) for x in (self.vertices, self.edges, self.ops))
        return PackedCells(vertices, edges, ops, self.space)


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What came of a training.

    Args:
        state: see `State`; seconds: how long it took.
        reward: None where it failed, and of a test.
        metrics: further figures by name, numbers or texts.
        failure: why it failed; None where it did not.
        weights: of a test's network, as a safetensors file.
    """

    state: State
    seconds: float
    reward: float | None = None
    metrics: dict[str, float | str] = field(default_factory=dict)
    failure: str | None = None
    weights: bytes | None = None


def run_training(task: Task, job: TrainingJob, folder: str | None = None) -> TrainingRecord:
    """Do a piece of work; whatever the task raises is what came of it.

    Args:
        folder: where modules of ops of the user's own may lie, see `gnn_nas.references.look_in`.
    """
    started = time.perf_counter()
    if folder is not None:
        look_in(folder)

    def after(state: State, **others: Any) -> TrainingRecord:
        return TrainingRecord(state, time.perf_counter() - started, **others)

    try:
        if job.purpose == "test":
            tested = task.test(job.cell(), job.seed)
            return after("done", metrics=tested.metrics, weights=tested.weights)
        result = task.train(job.cell(), job.seed)
    except Diverged as error:
        return after("diverged", failure=str(error))
    except BaseException as error:  # a user's code, or a network too large for memory
        return after("failed", failure=described(error))
    if not math.isfinite(result.reward):
        failure = f"the reward is {result.reward}"
        return after("diverged", metrics=result.metrics, failure=failure)
    state: State = "stopped" if result.stopped else "done"
    return after(state, reward=result.reward, metrics=result.metrics)
