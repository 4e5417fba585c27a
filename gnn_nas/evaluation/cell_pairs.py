"""Pairs of cells with the edits between them, and how often each number occurs (Fig. 1a)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import Self

import torch
from torch import Tensor

from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.positives import PositiveSampler

PAPER_PAIRS = 10_000
PAPER_RATIOS = {1: 0.0002, 2: 0.0001, 3: 0.0024, 4: 0.0073, 5: 0.0291, 6: 0.0798}
"""Shares of the paper's random pairs by edit distance (Fig. 1a); the rest is farther apart."""

# Random pairs measured at a time where some distances are sought.
_PROPOSALS = 1 << 15
# Distances are sought that this share of random pairs has, up to the last one that such a share is
# at least apart: 12 in NAS-Bench-101, where 0.5 % are farther.
_RAREST, _FARTHEST = 0.002, 0.009
# Draws after which a distance is taken to have no more pairs.
_PATIENCE = 100


@dataclass(frozen=True)
class CellPairs:
    """Pairs of different cells.

    Shapes:
        - first, second: ``[N]``, rows of the cell table
        - distance: ``[N]``, exact edit distances
    """

    first: Tensor
    second: Tensor
    distance: Tensor

    def __len__(self) -> int:
        return len(self.distance)

    def __getitem__(self, index: Tensor | slice) -> CellPairs:
        return CellPairs(self.first[index], self.second[index], self.distance[index])

    @classmethod
    def measured(cls, table: CellIndex, first: Tensor, second: Tensor) -> Self:
        """Pairs of rows with their exact distances."""
        return cls(first, second, edit_distance(table.cells[first], table.cells[second]))


@dataclass(frozen=True)
class Ratio:
    """How often a distance occurs, beside the paper's sample.

    Args:
        distance: ``1`` to ``6``, or ``>6``.
        pairs: of ours at this distance; ratio: their share; paper: the paper's share.
        standard_error: of the difference of the two samples' shares, under their pooled ratio;
            standard_errors_apart: by how many the shares differ.
    """

    distance: str
    pairs: int
    ratio: float
    paper: float
    standard_error: float
    standard_errors_apart: float


def random_pairs(table: CellIndex, count: int, generator: torch.Generator) -> CellPairs:
    """Draw pairs uniformly from all pairs of two different cells.

    Of a space without a table they are random cells, of which a few pairs less may differ.
    """
    if not table.is_complete:
        first, second = (table.draw(count, generator) for _ in range(2))
        both = min(len(first), len(second))
        differ = first[:both] != second[:both]
        return CellPairs.measured(table, first[:both][differ], second[:both][differ])
    first = torch.randint(len(table), (count,), generator=generator)
    second = torch.randint(len(table) - 1, (count,), generator=generator)
    return CellPairs.measured(table, first, second + (second >= first))


def edited_pairs(table: CellIndex, count: int, generator: torch.Generator) -> CellPairs:
    """Draw random cells, and of each a positive, measured exactly."""
    if table.is_complete:
        editable = (table.cells.vertices > 2).nonzero().flatten()
        first = editable[torch.randint(len(editable), (count,), generator=generator)]
    else:
        first = table.draw(count, generator)
        first = first[table.cells.vertices[first] > 2]
    second = PositiveSampler(table).sample(first, 1, generator).rows
    return CellPairs.measured(table, first, second)


def pairs_by_distance(table: CellIndex, count: int, generator: torch.Generator) -> CellPairs:
    """Draw ``count`` pairs at each distance that cells have, in this order (for Fig. 1b and 1c).

    Those as near as positives come from edits, since they are rare at random, the others out of
    random pairs; the exact distance decides where a pair belongs. Distances that hardly any random
    pairs have are left out: in NAS-Bench-101 those above 12.
    """
    most = table.space.max_edits
    # Equally many of the edited pairs are at each distance: mostly one draw is enough.
    enough = count * most + 8 * math.isqrt(count) + 64
    near = _filled(
        range(1, most + 1), count, (edited_pairs(table, enough, generator) for _ in repeat(None))
    )
    proposed = random_pairs(table, _PROPOSALS, generator)
    more = (random_pairs(table, _PROPOSALS, generator) for _ in repeat(None))
    far = _filled(_frequent(proposed.distance, most), count, chain([proposed], more))
    return _joined([*near, *far])


def _frequent(distance: Tensor, above: int) -> list[int]:
    """Distances above a number that enough of some random pairs have."""
    shares = distance.bincount() / len(distance)
    at_least = shares.flip(0).cumsum(0).flip(0)
    enough = (shares >= _RAREST) & (at_least >= _FARTHEST)
    return [at for at in enough.nonzero().flatten().tolist() if at > above]


def ratios(distance: Tensor) -> list[Ratio]:
    """Compare the distances of random pairs with the paper's.

    Shapes:
        - distance: ``[N]``
    """
    counts = {str(at): int((distance == at).sum()) for at in PAPER_RATIOS}
    farthest = max(PAPER_RATIOS)
    counts[f">{farthest}"] = int((distance > farthest).sum())
    papers = [*PAPER_RATIOS.values(), 1 - sum(PAPER_RATIOS.values())]
    total, found = len(distance), []
    for (name, pairs), paper in zip(counts.items(), papers, strict=True):
        ratio, pooled = pairs / total, (pairs + paper * PAPER_PAIRS) / (total + PAPER_PAIRS)
        error = math.sqrt(pooled * (1 - pooled) * (1 / total + 1 / PAPER_PAIRS))
        found.append(Ratio(name, pairs, ratio, paper, error, abs(ratio - paper) / error))
    return found


def _filled(distances: Iterable[int], count: int, draws: Iterable[CellPairs]) -> list[CellPairs]:
    """The first ``count`` pairs at each distance out of as many draws as it takes.

    They are fewer where many draws have no more.
    """
    found: dict[int, list[CellPairs]] = {distance: [] for distance in distances}
    missing = dict.fromkeys(found, count)
    for pairs in islice(draws, _PATIENCE) if found else ():
        for distance, wanted in missing.items():
            some = pairs[(pairs.distance == distance).nonzero().flatten()[:wanted]]
            found[distance].append(some)
            missing[distance] -= len(some)
        if not any(missing.values()):
            break
    return [_joined(parts) for parts in found.values()]


def _joined(parts: list[CellPairs]) -> CellPairs:
    return CellPairs(*map(torch.cat, zip(*(vars(part).values() for part in parts), strict=True)))
