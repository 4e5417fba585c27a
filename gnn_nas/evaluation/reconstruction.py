"""How well cells survive being embedded and decoded."""

import torch
from torch import Tensor

from gnn_nas.models.controller import Controller
from gnn_nas.spaces.table import CellTable
from gnn_nas.spaces.tokens import to_tokens


@torch.no_grad()
def reconstruction(controller: Controller, table: CellTable, rows: Tensor) -> dict[str, float]:
    """Encode cells, decode them greedily and free-running, and compare all 27 tokens.

    Shapes:
        - rows: ``[N]``, rows of the cell table

    Returns:
        ``token_accuracy``, the share of tokens that are right, padding included, and
        ``exact_match``, the share of cells with every token right
    """
    wanted = to_tokens(table.cells[rows])
    right = controller.decoder.greedy(controller.encode_rows(table, rows)) == wanted
    return {
        "token_accuracy": right.float().mean().item(),
        "exact_match": right.all(1).float().mean().item(),
    }
