"""The figures of maps, as ``summary.json`` and as a table to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gnn_nas.plots.maps.config import MapConfig
from gnn_nas.plots.maps.embedding_map import EmbeddingMap

FIGURE_NAMES = {
    "silhouette": "silhouette",
    "precision_at_1": "precision@1",
    "map_at_r": "MAP@R",
    "neighbour_agreement": "agreement of neighbours",
    "trustworthiness": "trustworthiness",
}
"""What the figures of a map are called in pictures and tables, in their order."""

_LABEL, _COLUMN = 25, 16


def summarised(config: MapConfig, maps: Sequence[EmbeddingMap]) -> dict[str, Any]:
    """The settings and, under ``maps``, the figures of every map."""
    figures = [
        {"name": each.name, "loss": each.loss, **each.figures, "other_draws": each.other_draws}
        for each in maps
    ]
    return {**config.model_dump(), "maps": figures}


def figures_table(maps: Sequence[EmbeddingMap], draws: int) -> str:
    """The figures of maps of the same cells side by side, and those of ``draws`` other draws."""
    wide = max(_COLUMN, *(len(each.name) + 2 for each in maps))
    lines = [" " * _LABEL + "".join(f"{each.name:>{wide}}" for each in maps)]
    for key, name in FIGURE_NAMES.items():
        if key in maps[0].figures:
            texts = (f"{each.figures[key]:.3f}" for each in maps)
            lines.append(f"{name:{_LABEL}}" + "".join(f"{text:>{wide}}" for text in texts))
    if maps[0].other_draws:
        lines.append(f"on {draws} other draws")
    for key, name in FIGURE_NAMES.items():
        if key in maps[0].other_draws:
            spreads = (each.other_draws[key] for each in maps)
            texts = (f"{spread['mean']:.3f} ± {spread['std']:.3f}" for spread in spreads)
            lines.append(f"  {name:{_LABEL - 2}}" + "".join(f"{text:>{wide}}" for text in texts))
    return "\n".join(lines)
