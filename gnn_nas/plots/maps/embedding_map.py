"""Maps of embeddings with the figures that say how far to believe them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from gnn_nas.evaluation.embeddings import retrieval
from gnn_nas.evaluation.nearest import class_silhouette, neighbour_agreement, trustworthiness
from gnn_nas.models.controller import Controller
from gnn_nas.plots.maps.cells import MapCells
from gnn_nas.plots.umap_layout import umap_layout
from gnn_nas.spaces.index import CellIndex

FIGURE_NAMES = {
    "silhouette": "silhouette",
    "precision_at_1": "precision@1",
    "map_at_r": "MAP@R",
    "neighbour_agreement": "agreement of neighbours",
    "trustworthiness": "trustworthiness",
}
"""What the figures of a map are called in pictures and tables, in their order."""


@dataclass(frozen=True)
class EmbeddingMap:
    """What one controller makes of the cells of a map.

    Args:
        name: of the controller; loss: what its embeddings were trained with.
        cells: what is shown.
        embeddings: float32 ``[N, embedding]``, in the order of ``cells.rows``.
        coordinates: float32 ``[N, 2]``, in the same order.
        figures: ``trustworthiness`` of the coordinates; of the embeddings those of `class_figures`,
            or ``neighbour_agreement`` where there are no classes.
        other_draws: ``mean`` and ``std`` of every one of `class_figures` over other draws.
    """

    name: str
    loss: str
    cells: MapCells
    embeddings: Tensor
    coordinates: np.ndarray
    figures: dict[str, float]
    other_draws: dict[str, dict[str, float]] = field(default_factory=dict)


def make_map(
    controller: Controller,
    table: CellIndex,
    cells: MapCells,
    seed: int,
    *,
    values: np.ndarray | None = None,
    draws: Sequence[MapCells] = (),
    name: str = "",
    loss: str = "",
) -> EmbeddingMap:
    """Embed cells, lay them out, and measure; the same seed gives the same map bit for bit.

    Args:
        values: a number for every cell whose agreement among neighbours is measured, ``[N]``;
            needed where the cells have no classes.
        draws: other classes of cells to measure, two at least or none.

    Raises:
        ValueError: there are too few cells, see `umap_layout`.
    """
    embeddings = controller.encode_rows(table, cells.rows)
    coordinates = umap_layout(embeddings, seed)
    figures = {"trustworthiness": trustworthiness(embeddings, torch.from_numpy(coordinates))}
    if cells.classes is None:
        figures["neighbour_agreement"] = neighbour_agreement(embeddings, values)
    else:
        figures |= class_figures(controller, table, cells)
    other_draws = _spread([class_figures(controller, table, draw) for draw in draws])
    return EmbeddingMap(name, loss, cells, embeddings, coordinates, figures, other_draws)


def class_figures(controller: Controller, table: CellIndex, cells: MapCells) -> dict[str, float]:
    """``silhouette``, ``precision_at_1`` and ``map_at_r`` of classes of cells, by embeddings."""
    embeddings = controller.encode_rows(table, cells.rows)
    return {
        "silhouette": class_silhouette(embeddings, cells.classes),
        **retrieval(embeddings, cells.classes),
    }


def _spread(measured: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    spread = {}
    for name in measured[0] if measured else ():
        values = np.array([figures[name] for figures in measured])
        spread[name] = {"mean": values.mean().item(), "std": values.std(ddof=1).item()}
    return spread
