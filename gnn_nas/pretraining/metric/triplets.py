"""Mined triplets, and the few reductions of them that losses need."""

from collections.abc import Iterator
from functools import cached_property

import torch
from torch import Tensor


def positive_slots(same_label: Tensor) -> Tensor:
    """Arrange the positive pairs of a batch as M slots per anchor.

    ``M`` is the largest number of positives of any anchor, at least 1; nothing is wasted when all
    labels have the same number of samples.

    Shapes:
        - same_label: bool ``[B, B]``
        - returns: ``[B, M]``, each anchor's positives in increasing order, then the anchor itself
          in slots left empty
    """
    matches = same_label.clone().fill_diagonal_(False)
    anchor, positive = torch.where(matches)
    per_anchor = matches.sum(1)
    first_pair = per_anchor.cumsum(0) - per_anchor
    samples = torch.arange(len(matches), device=matches.device)
    slots = samples[:, None].repeat(1, max(1, int(per_anchor.max())))
    slots[anchor, torch.arange(len(anchor), device=matches.device) - first_pair[anchor]] = positive
    return slots


class MinedTriplets:
    """The triplets a miner has chosen from a batch.

    Shapes:
        - positive: ``[B, M]``, see `positive_slots`
        - chosen: bool ``[B, M, B]``: ``chosen[a, m, n]`` says that (a, positive[a, m], n) is mined;
          empty slots are never chosen
    """

    def __init__(self, positive: Tensor, chosen: Tensor) -> None:
        self.positive = positive
        self.chosen = chosen

    @cached_property
    def count(self) -> Tensor:
        """The number of triplets: a scalar tensor, so that nothing waits for a device."""
        return torch.count_nonzero(self.chosen)

    @property
    def several(self) -> Tensor:
        """Whether there are two triplets or more: a scalar tensor."""
        return self.count > 1

    def positive_counts(self) -> Tensor:
        """Number of triplets of each pair (anchor, positive), integer ``[B, B]``."""
        return self._by_sample(self.chosen.sum(2, dtype=torch.int32))

    def negative_counts(self) -> Tensor:
        """Number of triplets of each pair (anchor, negative), integer ``[B, B]``."""
        # Sums of bytes need no copy of the whole tensor in a wider type.
        slots = self.chosen.shape[1]
        return self.chosen.view(torch.uint8).sum(1, dtype=_smallest_integer(slots))

    def slot_mask(self) -> Tensor:
        """Which slots (anchor, positive) have any triplet, bool ``[B, M]``."""
        return self.chosen.view(torch.uint8).amax(2).bool()

    def negative_mask(self) -> Tensor:
        """Which pairs (anchor, negative) have any triplet, bool ``[B, B]``."""
        return self.chosen.view(torch.uint8).amax(1).bool()

    def pairs(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Each pair of a triplet once, as (anchor, positive, anchor, negative), row by row."""
        positive = self._by_sample(self.slot_mask())
        first, positive = torch.where(positive)
        second, negative = torch.where(self.negative_mask())
        return first, positive, second, negative

    def indices(self) -> tuple[Tensor, Tensor, Tensor]:
        """All triplets as (anchor, positive, negative), in increasing order."""
        anchor, slot, negative = torch.where(self.chosen)
        return anchor, self.positive[anchor, slot], negative

    def _by_sample(self, per_slot: Tensor) -> Tensor:
        """Values of slots, ``[B, M]``, at their samples, ``[B, B]``; those of empty slots are 0."""
        batch = self.chosen.shape[0]
        return per_slot.new_zeros(batch, batch).scatter_(1, self.positive, per_slot)


class TripletsBelow(MinedTriplets):
    """Triplets of all negatives below a limit that depends on anchor and positive.

    Chosen is (a, p, n) where value[a, n] + value[p, n] < limit of the slot. Which pairs have any
    triplet shows in the smallest of these sums, without the tensor ``chosen``, which is made only
    where it is asked for.

    Shapes:
        - positive: ``[B, M]``; value: ``[B, B]``, infinite where n is no negative of a; limit:
          ``[B, M]``, minus infinity for empty slots; none is NaN
    """

    def __init__(self, positive: Tensor, value: Tensor, limit: Tensor) -> None:
        self.positive = positive
        self.value = value
        self.limit = limit

    @cached_property
    def chosen(self) -> Tensor:  # type: ignore[override]
        """See `MinedTriplets`."""
        return torch.stack([excess < 0 for excess in self._excesses()], dim=1)

    @property
    def several(self) -> Tensor:
        """Whether there are two triplets or more: then there are two pairs of a kind."""
        return (self.slot_mask().sum() > 1) | (self.negative_mask().sum() > 1)

    def slot_mask(self) -> Tensor:
        """Which slots (anchor, positive) have any triplet, bool ``[B, M]``."""
        return self._masks[0]

    def negative_mask(self) -> Tensor:
        """Which pairs (anchor, negative) have any triplet, bool ``[B, B]``."""
        return self._masks[1]

    @cached_property
    def _masks(self) -> tuple[Tensor, Tensor]:
        slots, negatives = [], torch.full_like(self.value, torch.inf)
        for excess in self._excesses():
            slots.append(excess.amin(1))
            torch.minimum(negatives, excess, out=negatives)
        return torch.stack(slots, dim=1) < 0, negatives < 0

    def _excesses(self) -> Iterator[Tensor]:
        """By how much every negative misses the limit, ``[B, B]``, slot by slot."""
        for positive, limit in zip(self.positive.T, self.limit.T, strict=True):
            excess = self.value.index_select(0, positive)
            yield excess.add_(self.value).sub_(limit[:, None])


def _smallest_integer(largest: int) -> torch.dtype:
    return torch.uint8 if largest <= torch.iinfo(torch.uint8).max else torch.int32
