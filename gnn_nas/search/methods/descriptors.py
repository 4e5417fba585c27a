"""The predictor-guided search without a controller: the surrogate sees cells' exact descriptors."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from gnn_nas.search.methods.predictor import Predictor
from gnn_nas.spaces.descriptors import num_descriptors, open_descriptors
from gnn_nas.spaces.index import CellIndex


class Descriptors(Predictor):
    """Searches as `gnn_nas.search.methods.predictor`; what that predicts of a cell is computed.

    This is the plainest baseline beside NAO: what pretraining adds is what NAO finds more.
    """

    needs_controller = False

    def _described(self) -> _Computed:
        return _Computed(self.table)


class _Computed:
    """Cells by their exact descriptors."""

    statistics = ()

    def __init__(self, table: CellIndex) -> None:
        self.blocks = num_descriptors(table.space)
        self._table = table
        self._describe = open_descriptors(table)

    def descriptors(self, rows: Tensor) -> Tensor:
        return self._describe(self._table, rows)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """They are the same everywhere."""
