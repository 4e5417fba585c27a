"""The table of cells as a dataset for PyG's loaders, and edits as a PyG transform."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torch_geometric.data import Batch, Data
from torch_geometric.transforms import BaseTransform

from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.table import CellTable


class CellDataset(Dataset):
    """All cells in the order of the table: an int gives a `Data`, many indices give a `Batch`.

    A `Batch` is gathered from the table's tensors as a whole, so ``dataset[indices]`` is much
    faster than collating single cells; `torch_geometric.loader.DataLoader` works as well.
    """

    def __init__(self, table: CellTable) -> None:
        self.table = table

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int | slice | Sequence[int] | np.ndarray | Tensor) -> Data | Batch:
        """Select one cell or many; negative indices count from the end.

        Args:
            index: an int; or a slice, or a list, array or tensor of ints or of one bool per cell.

        Raises:
            IndexError: an index out of range, or a mask that is not as long as the dataset.
            TypeError: an index of another type or of more than one dimension.
        """
        if isinstance(index, slice):
            index = np.arange(*index.indices(len(self)))
        rows = index if isinstance(index, Tensor) else torch.from_numpy(np.asarray(index))
        return self._gather(rows) if rows.ndim else self._gather(rows[None])[0]

    def _gather(self, rows: Tensor) -> Batch:
        if rows.ndim != 1:
            raise TypeError(f"indices must have one dimension, got shape {tuple(rows.shape)}")
        if rows.is_floating_point() and len(rows):
            raise TypeError(f"indices must be integers or bools, got {rows.dtype}")
        if rows.dtype == torch.bool:
            if len(rows) != len(self):
                raise IndexError(f"a mask of {len(rows)} does not fit {len(self)} cells")
            rows = rows.nonzero().flatten()
        rows = rows.to(self.table.cells.edges.device, torch.long)
        outside = rows[(rows < -len(self)) | (rows >= len(self))]
        if len(outside):
            raise IndexError(f"index {outside[0].item()} is out of range for {len(self)} cells")
        return self.table.cells[rows].to_batch()


class RandomEdit(BaseTransform):
    """Replaces a cell by a positive: a few unit edits away, valid and not isomorphic to it.

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
