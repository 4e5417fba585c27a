"""Whether cells a few edits apart are embedded close together (the paper's Fig. 1c)."""

import torch
from scipy.stats import spearmanr
from torch import Tensor

from gnn_nas.models.controller import Controller
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.table import CellTable


def locality(
    controller: Controller, table: CellTable, rows: Tensor, generator: torch.Generator
) -> dict[str, float]:
    """Spearman correlation of edit distance and cosine distance.

    Every cell is paired with a positive (distance 1 to 3), with a positive of that (up to 6) and
    with another of the given cells (mostly more), so that all distances are there.

    Shapes:
        - rows: ``[N]``, distinct rows of the cell table, each with a positive
    """
    sampler = PositiveSampler(table)
    near = sampler.sample(rows, 1, generator).rows
    # A positive of a three-vertex cell can be the one cell that has no positive itself.
    onward = torch.where(table.cells.vertices[near] > 2, near, rows)
    others = [near, sampler.sample(onward, 1, generator).rows, rows.roll(1)]
    first, second = rows.repeat(len(others)), torch.cat(others)
    edits = edit_distance(table.cells[first], table.cells[second])
    cosine = (controller.encode_rows(table, first) * controller.encode_rows(table, second)).sum(1)
    return {"edit_distance_spearman": spearmanr(edits.cpu(), 1 - cosine.cpu()).statistic.item()}
