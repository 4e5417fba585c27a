"""The predictor-guided search by embeddings alone: what the encoder itself knows of cells."""

from __future__ import annotations

from torch import Tensor

from gnn_nas.models.controller import Controller
from gnn_nas.search.guided import EmbeddedCells
from gnn_nas.search.methods.predictor import Predictor
from gnn_nas.spaces.index import CellIndex


class Embeddings(Predictor):
    """Searches as `gnn_nas.search.methods.predictor`; all that it sees of a cell is its embedding.

    The plainest measure of what a pretraining has made of its encoder, without predictor or decoder
    (White et al. 2021, BANANAS, compare encodings by such a search).
    """

    reads_predictor = False

    def _described(self) -> EmbeddedCells:
        self.controller.requires_grad_(False)
        return _Alone(self.controller, self.table)


class _Alone(EmbeddedCells):
    """Cells by their embeddings."""

    def __init__(self, controller: Controller, table: CellIndex) -> None:
        super().__init__(controller, table)
        self.blocks = (controller.encoder.embedding_size,)
        self.statistics = ()

    def descriptors(self, rows: Tensor) -> Tensor:
        return self.meet(rows)
