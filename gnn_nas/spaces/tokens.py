"""The decoder's language: a cell as 27 tokens, and back."""

import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import (
    MAX_INTERIOR,
    MAX_VERTICES,
    NUM_SLOTS,
    SLOT_SOURCES,
    SLOT_TARGETS,
    num_slots,
)
from gnn_nas.spaces.packed import PackedCells

PAD, NO_EDGE, EDGE, FIRST_OP, OUTPUT_TOKEN = 0, 1, 2, 3, 6
NUM_TOKENS = 7
SEQUENCE_LENGTH = (MAX_VERTICES + 2) * (MAX_VERTICES - 1) // 2

# Vertex c = 1..6 has c edge tokens, from vertices 0..c-1, and then its op.
_EDGE_POSITIONS = torch.tensor(
    [(y - 1) * (y + 2) // 2 + x for x, y in zip(SLOT_SOURCES, SLOT_TARGETS, strict=True)]
)
_OP_POSITIONS = torch.tensor([(c - 1) * (c + 2) // 2 + c for c in range(1, MAX_VERTICES)])


def to_tokens(cells: PackedCells) -> Tensor:
    """Token sequences of cells, padded with 0 behind the output's token.

    Shapes:
        - returns: int64 ``[B, 27]``
    """
    device = cells.edges.device
    slots = torch.arange(NUM_SLOTS, device=device)
    tokens = cells.edges.new_zeros(len(cells), SEQUENCE_LENGTH)
    tokens[:, _EDGE_POSITIONS.to(device)] = torch.where(
        slots < num_slots(cells.vertices)[:, None], NO_EDGE + cells.edge_bits().long(), PAD
    )
    # Ops and output have their tokens in the order of the features.
    tokens[:, _OP_POSITIONS.to(device)] = torch.where(
        cells.has_vertex(), FIRST_OP - 1 + cells.features(), PAD
    )[:, 1:]
    return tokens


def from_tokens(tokens: Tensor) -> tuple[PackedCells, Tensor]:
    """Parse token sequences; what does not parse becomes cells that are undefined.

    Shapes:
        - tokens: ``[B, 27]``
        - returns: `PackedCells` of ``B`` cells, not pruned, and bool ``[B]``, which of them parsed
    """
    device = tokens.device
    edge_tokens = tokens[:, _EDGE_POSITIONS.to(device)]
    op_tokens = tokens[:, _OP_POSITIONS.to(device)]
    slots = torch.arange(NUM_SLOTS, device=device)
    column = torch.arange(MAX_VERTICES - 1, device=device)

    is_output = op_tokens == OUTPUT_TOKEN
    output = is_output.int().argmax(1)
    vertices = output + 2
    there = slots < num_slots(vertices)[:, None]
    is_edge = edge_tokens == EDGE
    edges_parse = torch.where(there, is_edge | (edge_tokens == NO_EDGE), edge_tokens == PAD)
    is_op = (op_tokens >= FIRST_OP) & (op_tokens < OUTPUT_TOKEN)
    behind = column > output[:, None]
    ops_parse = torch.where(behind, op_tokens == PAD, is_op | (column == output[:, None]))
    parsed = is_output.any(1) & edges_parse.all(1) & ops_parse.all(1)

    interior = (column < output[:, None])[:, :MAX_INTERIOR]
    ops = torch.where(interior, (op_tokens[:, :MAX_INTERIOR] - FIRST_OP).clamp(0, 2), 0)
    return PackedCells.from_bits(vertices, is_edge & there, ops), parsed
