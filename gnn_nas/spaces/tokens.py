"""The decoder's language: a cell as tokens, and back."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import CellSpace, num_slots

PAD, NO_EDGE, EDGE = 0, 1, 2


@dataclass(frozen=True)
class Vocabulary:
    """The tokens of a space's cells, and where each stands.

    Vertex ``c`` from the second on has ``c`` edge tokens, from vertices 0 to ``c - 1``, and then
    the token of its op, or of the output. Where the wiring is fixed only ops are told.

    Attributes:
        first_op: token of the first op; output: token of the output, after those of the ops.

    Shapes:
        - edge_positions: ``[S]``, of every edge slot; op_positions: ``[V - 1]``
    """

    first_op: int
    output: int
    edge_positions: Tensor
    op_positions: Tensor

    @property
    def tokens(self) -> int:
        """How many different ones there are, the one of padding included: 7 in NAS-Bench-101."""
        return self.output + 1

    @property
    def length(self) -> int:
        """Tokens of a cell, padding included: 27 in NAS-Bench-101."""
        return len(self.edge_positions) + len(self.op_positions)


@cache
def vocabulary(space: CellSpace) -> Vocabulary:
    """The vocabulary of a space."""
    if space.wiring:
        places = torch.arange(space.max_vertices - 1, device="cpu")
        return Vocabulary(1, 1 + len(space.ops), places[:0], places)
    edges = [(y - 1) * (y + 2) // 2 + x for x, y in space.slots]
    ops = [(c - 1) * (c + 2) // 2 + c for c in range(1, space.max_vertices)]
    # Kept for all callers, so not on the device of the first one's `torch.device` block.
    edge_positions, op_positions = (torch.tensor(each, device="cpu") for each in (edges, ops))
    return Vocabulary(EDGE + 1, EDGE + 1 + len(space.ops), edge_positions, op_positions)


def to_tokens(cells: PackedCells) -> Tensor:
    """Token sequences of cells, padded with 0 behind the output's token.

    Shapes:
        - returns: int64 ``[B, length]``
    """
    device, words = cells.edges.device, vocabulary(cells.space)
    slots = torch.arange(cells.space.num_slots, device=device)
    tokens = cells.edges.new_zeros(len(cells), words.length)
    if len(words.edge_positions):
        tokens[:, words.edge_positions.to(device)] = torch.where(
            slots < num_slots(cells.vertices)[:, None], NO_EDGE + cells.edge_bits().long(), PAD
        )
    # Ops and output have their tokens in the order of the features.
    tokens[:, words.op_positions.to(device)] = torch.where(
        cells.has_vertex(), words.first_op - 1 + cells.features(), PAD
    )[:, 1:]
    return tokens


def from_tokens(tokens: Tensor, space: CellSpace) -> tuple[PackedCells, Tensor]:
    """Parse token sequences; what does not parse becomes cells that are undefined.

    Shapes:
        - tokens: ``[B, length]``
        - returns: `PackedCells` of ``B`` cells, not pruned, and bool ``[B]``, which of them parsed
    """
    device, words = tokens.device, vocabulary(space)
    edge_tokens = tokens[:, words.edge_positions.to(device)]
    op_tokens = tokens[:, words.op_positions.to(device)]
    slots = torch.arange(space.num_slots, device=device)
    column = torch.arange(space.max_vertices - 1, device=device)

    is_output = op_tokens == words.output
    output = is_output.int().argmax(1)
    is_op = (op_tokens >= words.first_op) & (op_tokens < words.output)
    if space.wiring:
        parsed = is_op[:, :-1].all(1) & is_output[:, -1]
        ops = (op_tokens[:, :-1] - words.first_op).clamp(0, len(space.ops) - 1)
        vertices = torch.full_like(output, space.max_vertices)
        return PackedCells(vertices, torch.full_like(output, space.mask), ops, space), parsed
    vertices = output + 2
    there = slots < num_slots(vertices)[:, None]
    is_edge = edge_tokens == EDGE
    edges_parse = torch.where(there, is_edge | (edge_tokens == NO_EDGE), edge_tokens == PAD)
    behind = column > output[:, None]
    ops_parse = torch.where(behind, op_tokens == PAD, is_op | (column == output[:, None]))
    parsed = is_output.any(1) & edges_parse.all(1) & ops_parse.all(1)

    most, last = space.max_interior, len(space.ops) - 1
    interior = (column < output[:, None])[:, :most]
    ops = torch.where(interior, (op_tokens[:, :most] - words.first_op).clamp(0, last), 0)
    return PackedCells.from_bits(vertices, is_edge & there, ops, space), parsed
