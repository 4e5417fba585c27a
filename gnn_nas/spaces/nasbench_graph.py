"""The space of NAS-Bench-Graph (Qin et al. 2022): trees of four ops of graph neural networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gnn_nas.spaces.space import CellSpace

# torch takes a second to import, and commands list spaces before.
if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.spaces.packed import PackedCells

NASBENCH_GRAPH = CellSpace(
    name="nasbench_graph",
    ops=("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "skip"),
    parameters=(1.0, 1.0, 1.0, 2.0, 2.0, 3.0, 2.0, 1.0, 0.0),
    max_vertices=6,
    max_edges=8,
    max_edits=1,
    in_edges=1,
    reduction="gnn_nas.spaces.nasbench_graph:skips_first",
    network="gnn_nas.tasks.graph_network:GraphNetwork",
)

NUM_CELLS = 26_206
"""Its distinct cells."""


def from_links(links: Sequence[Sequence[int]], ops: Sequence[Sequence[int]]) -> PackedCells:
    """A batch of cells, neither pruned nor checked.

    Args:
        links: of every cell the source of each op, 0 for the input and ``i`` for the ``i``-th op,
            which comes before it; ops: their numbers.
    """
    import torch

    from gnn_nas.spaces.packed import PackedCells
    from gnn_nas.spaces.sources import leaves_joined
    from gnn_nas.spaces.space import slot_of

    space = NASBENCH_GRAPH
    sources, numbers = (torch.tensor(each).view(-1, space.max_interior) for each in (links, ops))
    targets = torch.arange(1, space.max_interior + 1)
    edges = leaves_joined((1 << slot_of(sources, targets)).sum(1), space)
    vertices = torch.full_like(edges, space.max_vertices)
    return PackedCells(vertices, edges, numbers, space)


def to_links(cells: PackedCells) -> Tensor:
    """The source of every op, as `from_links` takes them, int64 ``[B, 4]``."""
    return cells.adjacency()[:, :-1, 1:-1].int().argmax(1)


def from_text(text: str) -> PackedCells:
    """A batch of one cell, reduced, of the text that `to_text` gives or of an equal cell's.

    Raises:
        ValueError: the text is no cell of the space.
    """
    from gnn_nas.spaces.pruning import prune

    space = NASBENCH_GRAPH
    parts = [part.partition("~") for part in text.split()]
    if len(parts) != space.max_interior:
        raise ValueError(f"no cell of NAS-Bench-Graph: {text!r:.200}")
    for number, (op, _, source) in enumerate(parts):
        if op not in space.ops:
            known = ", ".join(space.ops)
            raise ValueError(f"unknown op {op!r:.200}; known are {known}")
        if source not in map(str, range(number + 1)):
            raise ValueError(f"{op}~{source!s:.200}: the source of op {number + 1} is none before")
    links, ops = [int(part[2]) for part in parts], [space.ops.index(part[0]) for part in parts]
    cells, valid = prune(from_links([links], [ops]))
    if not valid:
        raise ValueError(f"nothing but skips is no cell of NAS-Bench-Graph: {text!r:.200}")
    return cells


def to_text(cell: PackedCells) -> str:
    """A batch of one cell as ``gcn~0 gin~1 skip~2 fc~2``: every op with its source."""
    ops = [NASBENCH_GRAPH.ops[number] for number in cell.ops[0].tolist()]
    return " ".join(
        f"{op}~{link}" for op, link in zip(ops, to_links(cell)[0].tolist(), strict=True)
    )


def skips_first(cells: PackedCells) -> tuple[PackedCells, Tensor]:
    """Reduce cells: skips that do nothing where they are become a chain behind the input.

    1. What a skip feeds is fed by the source of the skip instead.
    2. A skip that feeds nothing stays where its source, another op, feeds something else as well.
    3. All others go before what the input feeds, so that there are four ops again.

    Shapes:
        - returns: the cells and bool ``[B]``, which of them have an op other than skip
    """
    import torch

    from gnn_nas.spaces.packed import PackedCells
    from gnn_nas.spaces.sources import leaves_joined
    from gnn_nas.spaces.space import slot_of

    count = cells.space.max_interior
    is_skip = cells.ops == cells.space.ops.index("skip")
    feeds = cells.adjacency()[:, 1:-1, 1:-1].any(2)
    sources = to_links(cells)
    for op in range(1, count):  # ascending: what comes before has its source already
        before = (sources[:, op] - 1).clamp(min=0)[:, None]
        skipped = (sources[:, op] > 0) & is_skip.gather(1, before)[:, 0]
        sources[:, op] = torch.where(skipped, sources.gather(1, before)[:, 0], sources[:, op])
    stays = ~is_skip | ~feeds
    shared = (sources[:, :, None] == sources[:, None]) & stays[:, None]
    is_kept = ~is_skip | (~feeds & (sources > 0) & (shared.sum(2) > 1))
    order = is_kept.int().argsort(dim=1, stable=True)
    moved = (~is_kept).sum(1, keepdim=True)
    # New numbers of the input, which is now the last skip moved, and of the ops.
    number = torch.cat([moved, order.argsort(dim=1) + 1], dim=1)
    place = torch.arange(count, device=order.device)
    sources = torch.where(place < moved, place, number.gather(1, sources).gather(1, order))
    edges = (1 << slot_of(sources, place + 1)).sum(1)
    reduced = PackedCells(
        cells.vertices, leaves_joined(edges, cells.space), cells.ops.gather(1, order), cells.space
    )
    return reduced, moved[:, 0] < count
