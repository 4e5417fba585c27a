"""The cells that a search has met, seen through its controller."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gnn_nas.models.controller import Controller
from gnn_nas.spaces.table import CellTable


class EmbeddedCells:
    """Embeddings of the cells met so far; with the encoder kept, each is computed once.

    Args:
        controller: its encoder and its predictor's pretrained half must not change meanwhile.

    Attributes:
        met: rows of the table that were ever given to `meet` or `descriptors`, bool ``[cells]``.
    """

    def __init__(self, controller: Controller, table: CellTable) -> None:
        self.met = torch.zeros(len(table), dtype=torch.bool)
        self._controller = controller
        self._table = table
        self._embeddings = torch.empty(len(table), controller.encoder.embedding_size)

    def meet(self, rows: Tensor) -> Tensor:
        """Embeddings of rows of the table, ``[N] -> [N, embedding]``; they are met from then on."""
        new = rows[~self.met[rows]].unique()
        if len(new):
            self._embeddings[new] = self._controller.encode_rows(self._table, new)
            self.met[new] = True
        return self._embeddings[rows]

    @torch.no_grad()
    def descriptors(self, rows: Tensor) -> Tensor:
        """What the controller predicts of rows of the table, which are met then, ``[N, 141]``."""
        return self._controller.predictor.predict_descriptors(self.meet(rows))

    def state_dict(self) -> dict[str, Any]:
        """The embeddings themselves: computed in other batches they would differ in last bits."""
        rows = self.met.nonzero().flatten()
        return {"rows": rows, "embeddings": self._embeddings[rows]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Have met what another had met, and nothing else."""
        self.met.zero_()[state["rows"]] = True
        self._embeddings[state["rows"]] = state["embeddings"]
