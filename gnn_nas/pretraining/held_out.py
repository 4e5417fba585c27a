"""The cells that pretraining never sees."""

import torch
from torch import Tensor

from gnn_nas.spaces.table import CellTable


def held_out_cells(table: CellTable, share: float) -> Tensor:
    """Mark the cells whose module hash, read as a number, lies in the lowest ``share`` of hashes.

    Module hashes are as good as random, and the same cells are held out whatever the seed.

    Shapes:
        - returns: bool ``[423624]``
    """
    places = torch.tensor([1 << 24, 1 << 16, 1 << 8, 1], device=table.module_hash.device)
    leading = (table.module_hash[:, :4].long() * places).sum(1)
    return leading < share * 2**32
