"""Mined triplets as one boolean tensor, and the few reductions of it that losses need."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


def positive_slots(same_label: Tensor) -> Tensor:
    """Arrange the positive pairs of a batch as M slots per anchor.

    Shapes: same_label (B, B), bool; result (B, M), each anchor's positives in increasing order,
    then the anchor itself in slots left empty. M is the largest number of positives of any anchor,
    at least 1; nothing is wasted when all labels have the same number of samples.
    """
    matches = same_label.clone().fill_diagonal_(False)
    anchor, positive = torch.where(matches)
    per_anchor = matches.sum(1)
    first_pair = per_anchor.cumsum(0) - per_anchor
    samples = torch.arange(len(matches), device=matches.device)
    slots = samples[:, None].repeat(1, max(1, int(per_anchor.max())))
    slots[anchor, torch.arange(len(anchor), device=matches.device) - first_pair[anchor]] = positive
    return slots


@dataclass(frozen=True)
class MinedTriplets:
    """The triplets a miner has chosen from a batch.

    Shapes: positive (B, M), see `positive_slots`; chosen (B, M, B), bool: `chosen[a, m, n]` says
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
        return per_slot.new_zeros(batch, batch).scatter_(1, self.positive, per_slot)


def _smallest_integer(largest: int) -> torch.dtype:
    return torch.uint8 if largest <= torch.iinfo(torch.uint8).max else torch.int32
