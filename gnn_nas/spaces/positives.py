"""Positive samples: cells that are one to three unit edits away from an anchor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gnn_nas.spaces.edits import MAX_EDITS, draw_edits
from gnn_nas.spaces.table import CellTable

if TYPE_CHECKING:
    from torch_geometric.data import Batch

# Proposals a round: enough that the rounds' fixed cost does not count at small batches.
_PROPOSALS = 2048
# Proposals after which a cell is taken to be too small for its number of edits and draws another.
_PATIENCE = 500
_MAX_PROPOSALS = 100_000


@dataclass(frozen=True)
class Positives:
    """Positives of a batch of anchors, ``count`` for each, in the anchors' order.

    Shapes:
        - rows: ``[B * count]``, their rows in the cell table
        - cells: the edited cells, as a `Batch` of ``B * count``
        - num_edits: ``[B * count]``, unit edits made, 1 to 3
    """

    rows: Tensor
    cells: Batch
    num_edits: Tensor


class PositiveSampler:
    """Draws positives by random edits, rejecting what is not a positive (paper, section 3).

    A positive is valid without pruning, so its edit distance from the anchor is at most its number
    of edits, and it is not isomorphic to the anchor. The number of edits is uniform over 1, 2 and
    3, except for the few cells too small to have a positive at each.

    Args:
        table: the cell table.
        forbidden: bool ``[423624]``, rows that are never a positive (the held-out cells).
    """

    def __init__(self, table: CellTable, forbidden: Tensor | None = None) -> None:
        self.table = table
        self.forbidden = forbidden

    def sample(self, anchors: Tensor, count: int, generator: torch.Generator) -> Positives:
        """Draw ``count`` positives for every anchor.

        Shapes:
            - anchors: ``[B]``, rows of the cell table

        Raises:
            ValueError: an anchor has no interior vertex, or all cells around it are forbidden.
        """
        table, device = self.table, anchors.device
        anchors = anchors.repeat_interleave(count)
        # What a positive was found for is replaced by it.
        cells = table.cells.take(anchors)
        if bool((cells.vertices < 3).any()):
            raise ValueError("a cell without interior vertices has no positives")
        num_edits = torch.randint(
            1, MAX_EDITS + 1, anchors.shape, generator=generator, device=device
        )
        rows = torch.empty_like(anchors)
        pending = torch.arange(len(anchors), device=device)
        tried = 0
        while len(pending) and tried < _MAX_PROPOSALS:
            copies = max(1, _PROPOSALS // len(pending))
            index = pending.repeat_interleave(copies)
            origins = cells.take(index)
            edits = draw_edits(origins, num_edits.index_select(0, index), generator)
            proposed = edits.apply(origins)
            proposed_rows = table.rows_of(proposed)
            accepted = (proposed_rows >= 0) & edits.distinct
            accepted &= proposed_rows != anchors.index_select(0, index)
            if self.forbidden is not None:
                accepted &= ~self.forbidden.index_select(0, proposed_rows.clamp(min=0))
            accepted = accepted.view(-1, copies)
            found = accepted.any(1)
            first = accepted.int().argmax(1) + torch.arange(len(pending), device=device) * copies
            done, chosen = pending[found], first[found]
            rows[done] = proposed_rows.index_select(0, chosen)
            cells.put(done, proposed.take(chosen))
            pending = pending[~found]
            tried += copies
            if tried >= _PATIENCE:
                num_edits[pending] = torch.randint(
                    1, MAX_EDITS + 1, pending.shape, generator=generator, device=device
                )
        if len(pending):
            stuck = anchors[pending].unique().tolist()
            raise ValueError(f"no positive found for rows {stuck[:10]}")
        return Positives(rows, cells.to_batch(), num_edits)
