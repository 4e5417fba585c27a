"""Training batches: anchors with their positives, of all cells but those that are held out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch_geometric.data import Batch

from gnn_nas.errors import UserError
from gnn_nas.function.distance import FunctionSampler
from gnn_nas.pretraining.form import refuse_other_form
from gnn_nas.spaces.batch import join, split
from gnn_nas.spaces.descriptors import Describer
from gnn_nas.spaces.index import CellIndex, open_index
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.space import CellSpace

BLOCK = 16
"""Batches whose positives are drawn in one go: a few batches' worth costs little more than one."""
# Of a space without a table: cells that are measured on, and how they are looked for.
_MEASURED_HELD_OUT, _MEASURED_OTHERS = 4_000, 20_000
_SCREENED_AT_ONCE, _MOST_SCREENED = 100_000, 10_000_000
_PATIENCE = 100

ByFunction = Callable[[PositiveSampler], FunctionSampler]


@dataclass(frozen=True)
class TrainingBatch:
    """``A`` anchors followed by ``A * positives`` positives.

    Attributes:
        index: what the rows are of.

    Shapes:
        - cells: `Batch` of ``B = A * (1 + positives)`` cells
        - rows: ``[B]``, their rows in the index
        - labels: ``[B]``, number of the anchor each belongs to
        - duplicates: scalar, positives isomorphic to another positive of the same anchor
        - descriptors: ``[B, columns]``, where they are not looked up by the rows
    """

    index: CellIndex
    cells: Batch
    rows: Tensor
    labels: Tensor
    duplicates: Tensor
    descriptors: Tensor | None = None


class BatchSampler:
    """Draws batches without end: anchors in passes over the cells, positives anew every time.

    A cell without interior vertices has no positive and is never an anchor.

    Args:
        table: the cell table.
        excluded: bool ``[N]``, cells that are neither anchors nor positives.
        anchors: anchors in a batch; positives: positives of each.
        generator: of all random draws.
        by_function: makes of what draws positives by edits what draws them by function.
    """

    def __init__(
        self,
        table: CellIndex,
        excluded: Tensor,
        anchors: int,
        positives: int,
        generator: torch.Generator,
        by_function: ByFunction | None = None,
    ) -> None:
        self.sampler = PositiveSampler(table, forbidden=excluded)
        self.candidates = (~excluded & (table.cells.vertices > 2)).nonzero().flatten()
        if len(self.candidates) < anchors:
            raise UserError(
                f"data.batch_size is {anchors} anchors with their positives, but space"
                f" {table.space.name} has only {len(self.candidates)} cells to train on: set it to"
                f" at most {len(self.candidates) * (1 + positives)}"
            )
        self._begin(anchors, positives, generator, by_function)

    def _begin(
        self,
        anchors: int,
        positives: int,
        generator: torch.Generator,
        by_function: ByFunction | None,
    ) -> None:
        self.by_function = by_function
        self.anchors = anchors
        self.positives = positives
        self.generator = generator
        number = torch.arange(anchors, device=self.candidates.device)
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

    def draw_anchors(
        self, count: int, generator: torch.Generator
    ) -> tuple[PositiveSampler, Tensor]:
        """Some anchors apart from those of batches, rows ``[count]``, and what draws positives."""
        device = self.candidates.device
        chosen = torch.randint(len(self.candidates), (count,), generator=generator, device=device)
        return self.sampler, self.candidates[chosen]

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on drawing the same batches."""
        return {
            **self.drawn_from,
            "used": self.used,
            "generator_now": self.generator.get_state(),
        }

    def refuse_impossible(self, state: Any, drawn: int) -> None:
        """Raise ``ValueError`` unless this is a `state_dict` after ``drawn`` batches."""
        in_block, left = self._progress(drawn)
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

    def _progress(self, drawn: int) -> tuple[int, int]:
        """After so many batches, the last one's place in its block, and candidates left before."""
        whole_pass = len(self.candidates) // self.anchors
        in_pass = (drawn - 1) % whole_pass if drawn else 0
        in_block = in_pass % BLOCK
        if in_pass >= BLOCK:
            return in_block, len(self.candidates) - (in_pass - in_block) * self.anchors
        # A pass begins with what the one before has left over.
        return in_block, len(self.candidates) % self.anchors if drawn > whole_pass else 0

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
        return self._with_positives(self.sampler, anchors)

    def _with_positives(self, sampler: PositiveSampler, anchors: Tensor) -> list[TrainingBatch]:
        """Batches of anchors, as many as these are enough for."""
        drawing = self.by_function(sampler) if self.by_function else sampler
        positives = drawing.sample(anchors, self.positives, self.generator)
        batches = len(anchors) // self.anchors
        return [
            self._batch(sampler.table, *parts)
            for parts in zip(
                anchors.split(self.anchors),
                positives.rows.split(self.anchors * self.positives),
                split(positives.cells, batches),
                strict=True,
            )
        ]

    def _batch(
        self, index: CellIndex, anchors: Tensor, rows: Tensor, positives: Batch
    ) -> TrainingBatch:
        among = rows.view(self.anchors, self.positives).sort(dim=1).values
        return TrainingBatch(
            index=index,
            cells=join(index.cells.take(anchors).to_batch(), positives),
            rows=torch.cat([anchors, rows]),
            labels=self.labels,
            duplicates=(among[:, 1:] == among[:, :-1]).sum(),
        )


class EndlessBatchSampler(BatchSampler):
    """Draws batches of a space that has no table: anchors are random cells, new ones for ever.

    Args:
        space: of the cells.
        held_out: share of the hashes whose cells are neither anchors nor positives.
        anchors: anchors in a batch; positives: positives of each.
        generator: of all random draws, of the CPU.
        by_function: see `BatchSampler`.
        describe: gives the descriptors of cells, of a block's at once, which takes half as long.
    """

    def __init__(
        self,
        space: CellSpace,
        held_out: float,
        anchors: int,
        positives: int,
        generator: torch.Generator,
        by_function: ByFunction | None = None,
        describe: Describer | None = None,
    ) -> None:
        self.space = space
        self.describe = describe
        self.held_out = held_out
        # None are waiting.
        self.candidates = torch.empty(0, dtype=torch.long)
        self._begin(anchors, positives, generator, by_function)

    def draw_anchors(
        self, count: int, generator: torch.Generator
    ) -> tuple[PositiveSampler, Tensor]:
        # In an index of their own, as what is met in a run need not be remembered.
        index = open_index(self.space)
        rows = _draw_trained(index, count, self.held_out, generator)
        return PositiveSampler(index, self.held_out), rows

    def _progress(self, drawn: int) -> tuple[int, int]:
        return (drawn - 1) % BLOCK if drawn else 0, 0

    def _draw_block(self) -> list[TrainingBatch]:
        block = self._with_positives(*self.draw_anchors(BLOCK * self.anchors, self.generator))
        if self.describe is None:
            return block
        described = self.describe(block[0].index, torch.cat([batch.rows for batch in block]))
        parts = described.split(len(self.labels))
        return [replace(batch, descriptors=part) for batch, part in zip(block, parts, strict=True)]


def held_out_cells(index: CellIndex, share: float) -> Tensor:
    """Mark the cells that are never trained on, the ``share`` of them with the lowest hashes.

    Hashes are as good as random, and the same cells are held out whatever the seed. Where the index
    is a registry, cells to measure on are met first: 4,000 that are held out, and 20,000 others.

    Shapes:
        - returns: bool ``[N]``
    """
    if not index.is_complete:
        _meet_to_measure(index, share)
    return index.share_below(torch.arange(len(index), device=index.cells.edges.device), share)


def _draw_trained(
    index: CellIndex, count: int, held_out: float, generator: torch.Generator
) -> Tensor:
    """Draw cells with interior vertices that are not held out, distinct rows ``[count]``.

    Raises:
        UserError: the space has hardly as many.
    """
    for _ in range(_PATIENCE):
        rows = index.draw(count + int(2 * held_out * count), generator)
        suitable = (index.cells.vertices[rows] > 2) & ~index.share_below(rows, held_out)
        if suitable.sum() >= count:
            return rows[suitable][:count]
    raise UserError(f"space {index.space.name} has too few cells for batches of as many anchors")


def _meet_to_measure(index: CellIndex, share: float) -> None:
    # Imported only now, as numba takes a while.
    from gnn_nas.spaces.forms import draw_forms

    generator = torch.Generator().manual_seed(0)
    screened, found = open_index(index.space), torch.empty(0, dtype=torch.long)
    while len(found) < _MEASURED_HELD_OUT and len(screened) < _MOST_SCREENED:
        before = len(screened)
        screened.rows_of(draw_forms(index.space, _SCREENED_AT_ONCE, generator))
        new = torch.arange(before, len(screened))
        if not len(new):
            break
        found = torch.cat([found, new[screened.share_below(new, share)]])
    index.rows_of(screened.cells.take(found[:_MEASURED_HELD_OUT]))
    others = torch.arange(min(len(screened), 2 * _MEASURED_OTHERS))
    others = others[~screened.share_below(others, share)][:_MEASURED_OTHERS]
    index.rows_of(screened.cells.take(others))
