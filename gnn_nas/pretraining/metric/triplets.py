"""Mined triplets as one boolean tensor, and the few reductions of it that losses need."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class PositiveSlots:
    """Every positive pair of a batch, arranged as M slots per anchor.

    Shapes: positive (B, M), the sample in each slot, 0 where the slot is empty; filled (B, M),
    bool; same_label (B, B), bool, true on the diagonal. M is the largest number of positives of
    any anchor, at least 1; nothing is wasted when all labels have the same number of samples.
    """

    positive: Tensor
    filled: Tensor
    same_label: Tensor

    @classmethod
    def from_labels(cls, labels: Tensor) -> "PositiveSlots":
        """Arrange the positive pairs of `labels` (B), each anchor's in increasing order."""
        same_label = labels[:, None] == labels
        matches = same_label.clone().fill_diagonal_(False)
        anchor, positive = torch.where(matches)
        per_anchor = matches.sum(1)
        slot = torch.arange(len(anchor), device=labels.device)
        slot -= (per_anchor.cumsum(0) - per_anchor)[anchor]
        width = max(1, int(per_anchor.max()))
        slots = matches.new_zeros(len(labels), width, dtype=torch.long)
        filled = torch.zeros_like(slots, dtype=torch.bool)
        slots[anchor, slot] = positive
        filled[anchor, slot] = True
        return cls(slots, filled, same_label)


@dataclass(frozen=True)
class MinedTriplets:
    """The triplets a miner has chosen from a batch.

    Shapes: positive (B, M), as in `PositiveSlots`; chosen (B, M, B), bool: `chosen[a, m, n]` says
    that (a, positive[a, m], n) is mined. Empty slots are never chosen.
    """

    positive: Tensor
    chosen: Tensor

    @cached_property
    def count(self) -> Tensor:
        """The number of triplets: a scalar tensor, so that nothing waits for a device."""
        return torch.count_nonzero(self.chosen)

    def positive_counts(self) -> Tensor:
        """Count the triplets of each pair (anchor, positive): (B, B), integer."""
        return self._by_sample(self.chosen.sum(2, dtype=torch.int32))

    def negative_counts(self) -> Tensor:
        """Count the triplets of each pair (anchor, negative): (B, B), integer."""
        # Sums of bytes need no copy of the whole tensor in a wider type.
        slots = self.chosen.shape[1]
        return self.chosen.view(torch.uint8).sum(1, dtype=_smallest_integer(slots))

    def positive_mask(self) -> Tensor:
        """Tell which pairs (anchor, positive) have any triplet: (B, B), bool."""
        return self._by_sample(self.chosen.view(torch.uint8).amax(2)).bool()

    def negative_mask(self) -> Tensor:
        """Tell which pairs (anchor, negative) have any triplet: (B, B), bool."""
        return self.chosen.view(torch.uint8).amax(1).bool()

    def pairs(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """List each pair of a triplet once, as (anchor, positive, anchor, negative), row by row."""
        return (*torch.where(self.positive_mask()), *torch.where(self.negative_mask()))

    def indices(self) -> tuple[Tensor, Tensor, Tensor]:
        """List all triplets as (anchor, positive, negative), in increasing order."""
        anchor, slot, negative = torch.where(self.chosen)
        return anchor, self.positive[anchor, slot], negative

    def _by_sample(self, per_slot: Tensor) -> Tensor:
        """Move (B, M) values of slots to their samples, (B, B); those of empty slots are 0."""
        batch = self.chosen.shape[0]
        return per_slot.new_zeros(batch, batch).scatter_add_(1, self.positive, per_slot)


def _smallest_integer(largest: int) -> torch.dtype:
    return torch.uint8 if largest <= torch.iinfo(torch.uint8).max else torch.int32
