"""Edits as a PyG transform."""

import torch
from torch_geometric.data import Data
from torch_geometric.transforms import BaseTransform

from gnn_nas.spaces.positives import PositiveSampler


class RandomEdit(BaseTransform):
    """Replaces a cell by a positive: one to three unit edits away, valid and not isomorphic to it.

    The edits are made on the cell's canonical representative and come from the same sampler as in
    pretraining. Whatever else the `Data` carries is dropped, since it described another cell.

    Args:
        sampler: draws the positive, see `PositiveSampler`.
        generator: source of the random numbers.
    """

    def __init__(self, sampler: PositiveSampler, generator: torch.Generator) -> None:
        self.sampler = sampler
        self.generator = generator

    def forward(self, data: Data) -> Data:
        """Draw the positive.

        Raises:
            ValueError: the cell is invalid, would have to be pruned, or has no positive.
        """
        row = self.sampler.table.index_of(data)
        return self.sampler.sample(row, 1, self.generator).cells[0]
