"""The NAS-Bench-101 search space: its limits, operations and the numbering of edges.

A cell is a directed acyclic graph whose vertices are kept in topological order, input first and
output last (Ying et al. 2019). An edge ``x -> y`` with ``x < y`` has the *slot*
``x + y (y - 1) / 2``, so the slots of a cell of ``V`` vertices are the first ``V (V - 1) / 2`` and
do not change when the cell grows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

Count = TypeVar("Count", int, "Tensor")

MAX_VERTICES = 7
MAX_EDGES = 9
MAX_INTERIOR = MAX_VERTICES - 2
NUM_CELLS = 423_624  # distinct ones
NUM_SLOTS = MAX_VERTICES * (MAX_VERTICES - 1) // 2

INPUT, OUTPUT = "input", "output"
OPS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")

FEATURES = (INPUT, *OPS, OUTPUT)
"""What the columns of a cell's one-hot node features ``x`` stand for."""

SLOT_TARGETS = tuple(y for y in range(1, MAX_VERTICES) for _ in range(y))
SLOT_SOURCES = tuple(x for y in range(1, MAX_VERTICES) for x in range(y))


def slot_of(source: Count, target: Count) -> Count:
    """Number of the edge slot ``source -> target``, for ``source < target``."""
    return source + target * (target - 1) // 2


def num_slots(vertices: Count) -> Count:
    """Edge slots of a cell with this many vertices: its strictly upper triangle."""
    return vertices * (vertices - 1) // 2
