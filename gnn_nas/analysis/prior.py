"""What random embeddings decode to."""

import torch
from torch import Tensor

from gnn_nas.cells.table import CellTable
from gnn_nas.models.controller import Controller


@torch.no_grad()
def prior(
    controller: Controller,
    table: CellTable,
    embeddings: Tensor,
    generator: torch.Generator,
    draws: int = 10_000,
) -> dict[str, float]:
    """Decode Gaussian draws rescaled to the embeddings' mean and deviation (arch2vec, section 4.1).

    Every draw is brought back to the unit sphere on which the embeddings lie; decoding is greedy
    and no token is masked.

    Shapes:
        - embeddings: ``[N, embedding]``, of the training cells

    Returns:
        ``prior_validity``, the share of draws that decode to a valid cell, and
        ``prior_uniqueness``, distinct cells (up to isomorphism) among the valid ones
    """
    device = embeddings.device
    noise = torch.randn(draws, embeddings.shape[1], generator=generator, device=device)
    drawn = embeddings.mean(0) + embeddings.std(0) * noise
    cells, valid = controller.decode(torch.nn.functional.normalize(drawn, dim=1))
    rows = table.rows_of(cells[valid])
    return {
        "prior_validity": valid.float().mean().item(),
        "prior_uniqueness": len(rows.unique()) / max(1, len(rows)),
    }
