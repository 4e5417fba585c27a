"""Which cells a map shows: anchors with their positives, or random ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor

from gnn_nas.config import DEFAULT_SPACE, RunConfig, SpaceConfig
from gnn_nas.errors import UserError
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.positives import PositiveSampler


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
    space: str | SpaceConfig = Field(
        default=DEFAULT_SPACE, description="of the cells: a name, or a description of one's own"
    )


# A few anchors are too small to have many positives, and some draws repeat a positive.
_SPARE_ANCHORS, _DRAWS_FOR_ONE = 8, 4


@dataclass(frozen=True)
class MapCells:
    """The cells of a map, each there once.

    Shapes:
        - rows: int64 ``[N]``, their rows in the index of cells
        - classes: int64 ``[N]``, number of the anchor they belong to, from 0, classes one after
          the other and the anchor first in each; None for a map of random cells
    """

    rows: Tensor
    classes: Tensor | None = None

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_anchor(self) -> Tensor:
        """Which cells are the anchors of their class, bool ``[N]``."""
        if self.classes is None:
            return torch.zeros(len(self), dtype=torch.bool)
        return self.classes != torch.nn.functional.pad(self.classes[:-1], (1, 0), value=-1)


def draw_for(
    config: MapConfig, table: CellIndex, other_draws: int
) -> tuple[MapCells, list[MapCells]]:
    """The cells that a map of these settings shows, and where it has classes some other draws.

    Raises:
        UserError: there are no anchors with so many positives.
    """
    generator = torch.Generator().manual_seed(config.seed)
    if config.cells is not None:
        return draw_cells(table, config.cells, generator), []
    first, *others = (
        draw_classes(table, config.anchors, config.positives, generator)
        for _ in range(1 + other_draws)
    )
    return first, others


def draw_classes(
    table: CellIndex, anchors: int, positives: int, generator: torch.Generator
) -> MapCells:
    """Draw anchors and positives of each (the paper's Fig. 2: 16 and 7); no cell is drawn twice.

    Raises:
        UserError: there are no such anchors with so many positives.
    """
    wanted = 2 * anchors + _SPARE_ANCHORS
    if table.is_complete:
        suitable = (table.cells.vertices > 2).nonzero().flatten()
        drawn = suitable[torch.randperm(len(suitable), generator=generator)[:wanted]]
    else:
        drawn = table.draw(wanted, generator)
        drawn = drawn[table.cells.vertices[drawn] > 2]
    sampled = PositiveSampler(table).sample(drawn, _DRAWS_FOR_ONE * positives, generator)
    rows: list[int] = []
    taken: set[int] = set()
    for anchor, around in zip(
        drawn.tolist(), sampled.rows.view(len(drawn), -1).tolist(), strict=True
    ):
        new = [row for row in dict.fromkeys(around) if row not in taken][:positives]
        if anchor not in taken and len(new) == positives:
            rows += [anchor, *new]
            taken.update((anchor, *new))
        if len(rows) == anchors * (1 + positives):
            classes = torch.arange(anchors).repeat_interleave(1 + positives)
            return MapCells(torch.tensor(rows), classes)
    raise UserError(f"too few cells have {positives} different positives: ask for fewer")


def draw_cells(table: CellIndex, count: int, generator: torch.Generator) -> MapCells:
    """Draw so many different cells uniformly."""
    return MapCells(table.draw(count, generator))
