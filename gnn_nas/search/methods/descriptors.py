"""The predictor-guided search without a controller: the surrogate sees cells' exact structure."""

import torch

from gnn_nas.cells.standard_structure import load_standard_structure
from gnn_nas.cells.table import CellTable
from gnn_nas.models.controller import Controller
from gnn_nas.search.methods.predictor import query_highest_bounds
from gnn_nas.search.queries import Queries
from gnn_nas.search.settings import Descriptors as Settings


def search(
    queries: Queries,
    table: CellTable,
    controller: Controller,
    generator: torch.Generator,
    settings: Settings,
) -> None:
    """Search as `gnn_nas.search.methods.predictor` does; what it tells of a cell is computed.

    This is the plainest baseline beside NAO: what pretraining adds is what NAO finds more.
    """
    standard = load_standard_structure(table)
    query_highest_bounds(queries, lambda rows: standard[rows], generator, settings)
