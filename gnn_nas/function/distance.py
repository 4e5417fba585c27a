"""How far apart cells are in what they do and in what they are made of."""

from __future__ import annotations

import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.spaces.descriptors import Describer
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.positives import Positives, PositiveSampler

# Weight of a block of descriptors beside the function: those whose networks do the same still
# differ.
_DESCRIPTORS = 0.25
# Random cells among which those that are near are looked for.
_POOL = 8192
_CHUNK = 1024


def description_points(described: Tensor, blocks: tuple[int, ...]) -> Tensor:
    """Points whose Euclidean distances are those of cells' descriptions.

    The squared distance is the mean squared difference of the told statistics, in standard
    deviations, plus a quarter of that of each block of descriptors.

    Shapes:
        - described: ``[N, sum(blocks)]``, the function being the last block
        - returns: float32, of the same shape
    """
    *descriptors, function = described.float().split(blocks, dim=1)
    scaled = [part * (_DESCRIPTORS / part.shape[1]) ** 0.5 for part in descriptors]
    return torch.cat([*scaled, function / function.shape[1] ** 0.5], dim=1)


class FunctionSampler:
    """Draws positives that do what their anchors do: the nearest by description of random cells.

    Args:
        edits: draws positives by edits, and has what cells there are and which are never drawn.
        describe: gives the descriptions of cells.
        blocks: columns of their blocks.
        share: of the positives that are by function; the others are by edits.
    """

    def __init__(
        self, edits: PositiveSampler, describe: Describer, blocks: tuple[int, ...], share: float
    ) -> None:
        self.table = edits.table
        self._edits = edits
        self._describe = describe
        self._blocks = blocks
        self._share = share

    def sample(self, anchors: Tensor, count: int, generator: torch.Generator) -> Positives:
        """Draw ``count`` positives for each anchor, rows ``[B]``: first those by function.

        Of these ``num_edits`` is 0, as they were made by none. Raises UserError where a space has
        too few cells.
        """
        near = max(round(self._share * count), 1)
        rows = self._nearest(anchors, near, generator)
        edits = torch.zeros_like(rows)
        if near < count:
            edited = self._edits.sample(anchors, count - near, generator)
            rows = torch.cat([rows, edited.rows.view(len(anchors), -1)], dim=1)
            edits = torch.cat([edits, edited.num_edits.view(len(anchors), -1)], dim=1)
        rows = rows.flatten()
        return Positives(rows, self.table.cells.take(rows).to_batch(), edits.flatten())

    def _nearest(self, anchors: Tensor, count: int, generator: torch.Generator) -> Tensor:
        pool = self.table.draw(_POOL, generator)
        pool = pool[~self._edits.forbids(pool)]
        if len(pool) <= count:
            raise UserError(
                f"space {self.table.space.name} has only {len(pool)} cells to draw positives from"
                " by function: set data.positives to fewer, or data.positives_by to edits"
            )
        among = self._points(self.table, pool)
        found = []
        for part in anchors.split(_CHUNK):
            distances = torch.cdist(self._points(self.table, part), among)
            distances[part[:, None] == pool] = torch.inf
            found.append(pool[distances.topk(count, largest=False).indices])
        return torch.cat(found)

    def _points(self, index: CellIndex, rows: Tensor) -> Tensor:
        return description_points(self._describe(index, rows), self._blocks)
