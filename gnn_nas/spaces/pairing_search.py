"""The edit distance of cells too large for a list of all pairings of their vertices."""

from __future__ import annotations

import numba
import numpy as np
import torch
from torch import Tensor

from gnn_nas.spaces.packed import PackedCells


def searched_distance(first: PackedCells, second: PackedCells) -> Tensor:
    """As `gnn_nas.spaces.distance.edit_distance`, by branch and bound over the pairings.

    It is exact; how long a pair takes depends on how far the cells are apart, at nine interior
    vertices a millisecond as a rule.

    Shapes:
        - first, second: `PackedCells` of ``B`` cells each, of one space with free edges
        - returns: int64 ``[B]``
    """
    parts = [*_parts(first), *_parts(second)]
    return torch.from_numpy(_distances(*parts)).to(first.edges.device)


def _parts(cells: PackedCells) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ops of the interior, one more than there are for none, edges between, and those of ends.

    Shapes:
        - returns: ``[B, n]``, ``[B, n, n]`` and ``[B, n + 1, 2]``, from the input and to the
          output, last of each other
    """
    exists, adjacency = cells.has_interior(), cells.adjacency()
    ops = torch.where(exists, cells.ops, len(cells.space.ops))
    to_output = cells.at_output(adjacency)
    # Columns beyond the output are empty, but the output's own is no interior vertex's.
    between = adjacency[:, 1:-1, 1:-1] & exists[:, None]
    from_input = adjacency[:, 0, 1:-1] & exists
    ends = torch.stack([from_input, to_output[:, 1:-1] & exists], 2)
    direct = to_output[:, :1, None].expand(-1, -1, 2)
    ends = torch.cat([ends, direct], 1)
    ops_, between_, ends_ = (part.cpu().numpy().astype(np.int64) for part in (ops, between, ends))
    return ops_, between_, ends_


@numba.njit(cache=True)
def _distances(ops, between, ends, other_ops, other_between, other_ends):
    result = np.empty(len(ops), dtype=np.int64)
    for pair in range(len(ops)):
        result[pair] = _distance(
            ops[pair],
            between[pair],
            ends[pair],
            other_ops[pair],
            other_between[pair],
            other_ends[pair],
        )
    return result


@numba.njit(cache=True)
def _distance(ops, between, ends, other_ops, other_between, other_ends):
    count = len(ops)
    costs = np.empty((count, count), dtype=np.int64)
    for i in range(count):
        for j in range(count):
            costs[i, j] = ops[i] != other_ops[j]
            costs[i, j] += np.abs(ends[i] - other_ends[j]).sum()
    # What the vertices from each on cost at least.
    least = np.zeros(count + 1, dtype=np.int64)
    for i in range(count - 1, -1, -1):
        least[i] = least[i + 1] + costs[i].min()
    paired = np.empty(count, dtype=np.int64)
    spent = np.zeros(count + 1, dtype=np.int64)
    tried = np.full(count, -1, dtype=np.int64)
    taken = 0
    best = np.int64(1 << 62)
    level = 0
    while level >= 0:
        if level == count:
            best = min(best, spent[level])
            level -= 1
            taken ^= 1 << paired[level]
            continue
        j = tried[level] + 1
        while j < count:
            if not taken >> j & 1:
                cost = spent[level] + costs[level, j]
                for i in range(level):
                    cost += abs(between[i, level] - other_between[paired[i], j])
                    cost += abs(between[level, i] - other_between[j, paired[i]])
                if cost + least[level + 1] < best:
                    spent[level + 1] = cost
                    break
            j += 1
        if j == count:
            tried[level] = -1
            level -= 1
            if level >= 0:
                taken ^= 1 << paired[level]
            continue
        tried[level] = paired[level] = j
        taken |= 1 << j
        level += 1
        if level < count:
            tried[level] = -1
    return best + (ends[count, 0] != other_ends[count, 0])
