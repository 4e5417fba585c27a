"""Training batches: anchors with their positives, of all cells but those that are held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Batch

from gnn_nas.pretraining.form import refuse_other_form
from gnn_nas.spaces.batch import join, split
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.table import CellTable

BLOCK = 16
"""Batches whose positives are drawn in one go: a few batches' worth costs little more than one."""


@dataclass(frozen=True)
class TrainingBatch:
    """``A`` anchors followed by ``A * positives`` positives.

    Shapes:
        - cells: `Batch` of ``B = A * (1 + positives)`` cells
        - rows: ``[B]``, their rows in the cell table
        - labels: ``[B]``, number of the anchor each belongs to
        - duplicates: scalar, positives isomorphic to another positive of the same anchor
    """

    cells: Batch
    rows: Tensor
    labels: Tensor
    duplicates: Tensor


class BatchSampler:
    """Draws batches without end: anchors in passes over the cells, positives anew every time.

    A cell without interior vertices has no positive and is never an anchor.

    Args:
        table: the cell table.
        excluded: bool ``[N]``, cells that are neither anchors nor positives.
        anchors: anchors in a batch; positives: positives of each.
        generator: of all random draws.
    """

    def __init__(
        self,
        table: CellTable,
        excluded: Tensor,
        anchors: int,
        positives: int,
        generator: torch.Generator,
    ) -> None:
        self.table = table
        self.anchors = anchors
        self.positives = positives
        self.generator = generator
        self.sampler = PositiveSampler(table, forbidden=excluded)
        self.candidates = (~excluded & (table.cells.vertices > 2)).nonzero().flatten()
        number = torch.arange(anchors, device=excluded.device)
        self.labels = torch.cat([number, number.repeat_interleave(positives)])
        self.order = self.candidates[:0]
        self.block: list[TrainingBatch] = []
        # The block as it is to be drawn again after `load_state_dict`: from where, and how much of
        # it is used up.
        self.drawn_from = self._position()
        self.used = 0

    def draw(self) -> TrainingBatch:
        """Draw the next batch; a pass over the anchors ends where less than a batch is left."""
        if not self.block:
            self.drawn_from, self.used = self._position(), 0
            self.block = self._draw_block()
        self.used += 1
        return self.block.pop(0)

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on drawing the same batches."""
        return {
            **self.drawn_from,
            "used": self.used,
            "generator_now": self.generator.get_state(),
        }

    def refuse_impossible(self, state: Any, drawn: int) -> None:
        """Raise ``ValueError`` unless this is a `state_dict` after ``drawn`` batches."""
        whole_pass = len(self.candidates) // self.anchors
        in_pass = (drawn - 1) % whole_pass if drawn else 0
        in_block = in_pass % BLOCK
        if in_pass >= BLOCK:
            left = len(self.candidates) - (in_pass - in_block) * self.anchors
        else:
            # A pass begins with what the one before has left over.
            left = len(self.candidates) % self.anchors if drawn > whole_pass else 0
        used = in_block + 1 if drawn else 0
        refuse_other_form(state, {**self.state_dict(), "order": self.candidates[:left]}, "batches")
        if state["used"] != used:
            raise ValueError(f"batches.used is {state['used']}, not {used}")
        order = state["order"].to(self.candidates.device)
        if len(order.unique()) < left or not torch.isin(order, self.candidates).all():
            raise ValueError("batches.order has cells twice, or others than are trained on")
        for name in ("generator", "generator_now"):
            try:
                torch.Generator(self.candidates.device).set_state(state[name])
            except RuntimeError as error:
                raise ValueError(f"batches.{name} is none: {error}") from error

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.generator.set_state(state["generator"])
        self.order = state["order"].to(self.candidates.device)
        self.drawn_from, self.used = self._position(), state["used"]
        self.block = self._draw_block()[self.used :] if self.used else []
        # Others have drawn from the generator since.
        self.generator.set_state(state["generator_now"])

    def _position(self) -> dict[str, Any]:
        return {"generator": self.generator.get_state(), "order": self.order.clone()}

    def _draw_block(self) -> list[TrainingBatch]:
        if len(self.order) < self.anchors:
            shuffled = torch.randperm(
                len(self.candidates), generator=self.generator, device=self.candidates.device
            )
            self.order = self.candidates[shuffled]
        batches = min(BLOCK, len(self.order) // self.anchors)
        anchors, self.order = self.order.tensor_split([batches * self.anchors])
        positives = self.sampler.sample(anchors, self.positives, self.generator)
        return [
            self._batch(*parts)
            for parts in zip(
                anchors.split(self.anchors),
                positives.rows.split(self.anchors * self.positives),
                split(positives.cells, batches),
                strict=True,
            )
        ]

    def _batch(self, anchors: Tensor, rows: Tensor, positives: Batch) -> TrainingBatch:
        among = rows.view(self.anchors, self.positives).sort(dim=1).values
        return TrainingBatch(
            cells=join(self.table.cells.take(anchors).to_batch(), positives),
            rows=torch.cat([anchors, rows]),
            labels=self.labels,
            duplicates=(among[:, 1:] == among[:, :-1]).sum(),
        )


def held_out_cells(table: CellTable, share: float) -> Tensor:
    """Mark the cells whose module hash, read as a number, lies in the lowest ``share`` of hashes.

    Module hashes are as good as random, and the same cells are held out whatever the seed.

    Shapes:
        - returns: bool ``[N]``
    """
    places = torch.tensor([1 << 24, 1 << 16, 1 << 8, 1], device=table.module_hash.device)
    leading = (table.module_hash[:, :4].long() * places).sum(1)
    return leading < share * 2**32
