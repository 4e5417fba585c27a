"""One cell of the space as people hold it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gnn_nas.spaces.conversion import to_matrix
from gnn_nas.spaces.table import CellTable

if TYPE_CHECKING:
    import numpy as np
    from torch_geometric.data import Data


@dataclass(frozen=True, slots=True)
class Cell:
    """A row of the cell table, with the attributes of the official ``ModelSpec``.

    Args:
        table: the cells; row: its row, which isomorphic cells share.
    """

    table: CellTable = field(repr=False, compare=False)
    row: int

    @property
    def module_hash(self) -> str:
        """The official module hash."""
        return self.table.hash_of(self.row)

    @property
    def matrix(self) -> np.ndarray:
        """Adjacency matrix, int8 ``[V, V]``."""
        return to_matrix(self.to_data())[0]

    @property
    def ops(self) -> list[str]:
        """Names of the ``V`` vertices' ops, ``input`` and ``output`` included."""
        return to_matrix(self.to_data())[1]

    def to_data(self) -> Data:
        """The cell as a PyG `Data`."""
        return self.table.cells[self.row : self.row + 1].to_batch()[0]
