"""The cells that a search has come across, seen through its controller."""

import torch
from torch import Tensor

from gnn_nas.models.controller import Controller
from gnn_nas.spaces.table import CellTable


class EmbeddedCells:
    """Embeddings of cells met so far; with the encoder kept, each is computed once.

    Args:
        controller: its encoder and its predictor's pretrained half must not change meanwhile.
    """

    def __init__(self, controller: Controller, table: CellTable) -> None:
        self.met = torch.zeros(len(table), dtype=torch.bool)
        """Which rows of the table were met, ``[423624]``."""
        self._controller = controller
        self._table = table
        width = controller.encoder.project.out_features
        self._embeddings = torch.empty(len(table), width)

    def embed(self, rows: Tensor) -> Tensor:
        """Embeddings of rows of the table, ``[N] -> [N, embedding]``; the cells are met then."""
        new = rows[~self.met[rows]].unique()
        if len(new):
            self._embeddings[new] = self._controller.encode_rows(self._table, new)
            self.met[new] = True
        return self._embeddings[rows]

    @torch.no_grad()
    def descriptors(self, rows: Tensor) -> Tensor:
        """What the controller tells of the descriptors of rows of the table, ``[N, 141]``."""
        return self._controller.predictor.predict_descriptors(self.embed(rows))
