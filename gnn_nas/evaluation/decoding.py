"""What decoders are worth: cells that are embedded and decoded, and draws that are decoded."""

import torch
from torch import Tensor

from gnn_nas.models.controller import Controller
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.tokens import from_tokens, to_tokens


@torch.no_grad()
def reconstruction(controller: Controller, table: CellIndex, rows: Tensor) -> dict[str, float]:
    """Encode cells, decode them greedily and free-running, and compare all tokens.

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


@torch.no_grad()
def prior(
    controller: Controller,
    table: CellIndex,
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
        ``prior_validity``, the share of draws that decode to a valid cell;
        ``prior_validity_of_seven``, the share that decode to a valid cell of as many vertices as
        the space allows, which is what arch2vec counts; and ``prior_uniqueness``, distinct cells
        (up to isomorphism) among all valid ones
    """
    device = embeddings.device
    noise = torch.randn(draws, embeddings.shape[1], generator=generator, device=device)
    drawn = embeddings.mean(0) + embeddings.std(0) * noise
    tokens = controller.decoder.greedy(torch.nn.functional.normalize(drawn, dim=1))
    cells, parsed = from_tokens(tokens, table.space)
    pruned, connected = prune(cells)
    valid = parsed & connected
    # Before pruning, as there.
    of_seven = valid & (cells.vertices == table.space.max_vertices)
    rows = table.rows_of(pruned[valid])
    return {
        "prior_validity": valid.float().mean().item(),
        "prior_validity_of_seven": of_seven.float().mean().item(),
        "prior_uniqueness": len(rows.unique()) / max(1, len(rows)),
    }
