"""What decides a picture of embeddings."""

from __future__ import annotations

from pydantic import Field

from gnn_nas.config import RunConfig


class MapConfig(RunConfig):
    """All settings of ``embed-umap``: the same ones give the same files."""

    seed: int = Field(ge=0, lt=2**32, description="of the choice of cells and of the layout")
    anchors: int | None = Field(description="classes of the map; null for random cells")
    positives: int | None = Field(description="of every anchor; null for random cells")
    cells: int | None = Field(description="random cells; null for anchors with positives")
    color: str = Field(description="what the points are coloured by")
    checkpoints: list[str | None] = Field(description="run folders; null for the default one")
    weights: list[str | None] = Field(description="SHA-256 of their weights files")
    benchmark: str | None = Field(description="which accuracies were known, if any")
