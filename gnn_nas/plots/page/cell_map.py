"""What a page shows: cells on a plane, and searches as paths through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class SearchPath:
    """The cells that one search queried, in this order.

    Args:
        name: what the page calls it.
        rows: of the cell table, int64 ``[Q]``.
        rewards: what the search was rewarded with, fractions, NaN where one failed, ``[Q]``.
        reports: what the search is judged by, fractions, NaN where unknown, ``[Q]``.
    """

    name: str
    rows: Tensor
    rewards: np.ndarray
    reports: np.ndarray

    def __post_init__(self) -> None:
        for name in ("rewards", "reports"):
            _check_length(name, getattr(self, name), len(self.rows))


@dataclass(frozen=True)
class View:
    """Where one controller's embeddings lay the cells of a map.

    Args:
        name: of the controller.
        coordinates: on the plane, ``[N, 2]``.
        embeddings: in whose space the page tells nearest neighbours, ``[N, d]``.
    """

    name: str
    coordinates: np.ndarray
    embeddings: Tensor


@dataclass(frozen=True)
class CellMap:
    """``N`` cells on a plane, with what is known of them.

    Args:
        rows: of the cell table, int64 ``[N]``.
        views: to choose from; the page shows the first one first.
        accuracies: mean test accuracies, fractions, NaN where unknown, ``[N]``.
        ranks: among all cells of the space, from 1, 0 where unknown, int ``[N]``.
        classes: number of every cell's class in ``class_names``, int ``[N]``.
        class_names: what the page calls the classes.
        paths: searches to play; all their cells must be on the map.

    Raises:
        ValueError: lengths differ, there is no view, or a path's cell is not on the map.
    """

    rows: Tensor
    views: Sequence[View]
    accuracies: np.ndarray | None = None
    ranks: np.ndarray | None = None
    classes: np.ndarray | None = None
    class_names: Sequence[str] = ()
    paths: Sequence[SearchPath] = ()

    def __post_init__(self) -> None:
        if not self.views:
            raise ValueError("a map needs a view")
        for view in self.views:
            _check_length("coordinates", view.coordinates, len(self))
            _check_length("embeddings", view.embeddings, len(self))
        for name in ("accuracies", "ranks", "classes"):
            if (values := getattr(self, name)) is not None:
                _check_length(name, values, len(self))
        for path in self.paths:
            if not bool(torch.isin(path.rows, self.rows).all()):
                raise ValueError(f"the path {path.name!r} leaves the map")

    def __len__(self) -> int:
        return len(self.rows)

    def points_of(self, rows: Tensor) -> Tensor:
        """Positions on the map of rows that are on it, int64 ``[len(rows)]``."""
        ordered, order = self.rows.sort(stable=True)
        return order[torch.searchsorted(ordered, rows)]


def _check_length(name: str, values: np.ndarray | Tensor, length: int) -> None:
    if len(values) != length:
        raise ValueError(f"{name} has {len(values)} entries for {length} cells")
