"""The structure of all cells, in the units in which the predictor learns to tell it."""

import torch
from torch import Tensor

from gnn_nas.cells.structure import NUM_PATTERNS, NUM_SHAPE, structure
from gnn_nas.cells.table import CellTable

_CHUNK = 8192
# In standard deviations: a few cells have tens of times the usual number of some path.
_LARGEST = 4.0


def structure_targets(table: CellTable) -> Tensor:
    """Structure of every cell, shape before patterns, standardised over the space and clamped.

    Shapes:
        - returns: float32 ``[423624, 141]``
    """
    device = table.module_hash.device
    targets = torch.empty(len(table), NUM_SHAPE + NUM_PATTERNS, device=device)
    for rows in torch.arange(len(table), device=device).split(_CHUNK):
        targets[rows] = torch.cat(structure(table.cells[rows]), dim=1)
    deviation, mean = torch.std_mean(targets, dim=0)
    # One column is the same for all cells: every input leads to an output.
    targets.sub_(mean).div_(deviation.clamp(min=1e-6))
    return targets.clamp_(-_LARGEST, _LARGEST)
