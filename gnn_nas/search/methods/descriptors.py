"""The predictor-guided search without a controller: the surrogate sees cells' exact descriptors."""

import torch

from gnn_nas.models.controller import Controller
from gnn_nas.search.methods.predictor import query_highest_bounds
from gnn_nas.search.queries import Queries
from gnn_nas.search.settings import Descriptors as Settings
from gnn_nas.spaces.standard_descriptors import load_standard_descriptors
from gnn_nas.spaces.table import CellTable


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
    standard = load_standard_descriptors(table)
    query_highest_bounds(queries, lambda rows: standard[rows], generator, settings)
