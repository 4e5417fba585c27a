"""How many of the search space's cells an encoder tells apart."""

import copy

import numpy as np
from scipy.spatial import cKDTree

from gnn_nas.cells.table import CellTable
from gnn_nas.models.controller import Controller


def distinct_embeddings(controller: Controller, table: CellTable, tolerance: float = 1e-6) -> int:
    """Count the cells of the space that have no earlier cell within ``tolerance`` of them.

    The tolerance is a Euclidean distance between float64 embeddings; 423,624 means that all cells
    are told apart.
    """
    embeddings = copy.deepcopy(controller).double().encode_rows(table).cpu().numpy()
    close = cKDTree(embeddings).query_pairs(tolerance, output_type="ndarray")
    return len(embeddings) - len(np.unique(close[:, 1]))
