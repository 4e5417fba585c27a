"""Exact edit distance between cells, vectorised over pairs and over pairings of their vertices."""

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
import torch
from torch import Tensor

from gnn_nas.spaces.packed import PackedCells
from gnn_nas.user_folders import compiled_code_kept

# Pairs worked on at a time: about 20 MB of intermediate results.
_CHUNK = 4096
# Vertices of cells whose pairings are all tried; for larger ones a search is faster.
_MOST_PAIRED = 7


@dataclass(frozen=True)
class _Pairings:
    """All pairings of the interior vertices of two cells with ``n`` of them each.

    A set of edges between interior vertices is a number, with a bit for each of the ends.

    Shapes:
        - is_paired: ``[n^2, n!]``, a column marks its pairs, so that a matrix product sums what
          they cost
        - sources, targets, places: of every bit, ``[n (n - 1) / 2]``
        - num_bits: of every set, ``[2^(n (n - 1) / 2)]``
        - renumbered: int16 ``[sets, n!]``, each set in the first cell's numbering under each
          pairing; edges that come to lie against the vertex order are left out, as the first cell
          has none such
    """

    is_paired: Tensor
    sources: Tensor
    targets: Tensor
    places: Tensor
    num_bits: Tensor
    renumbered: Tensor


@cache
def _pairings(interior: int, device: torch.device) -> _Pairings:
    # Row p, column i: the vertex of the second cell paired with vertex i of the first.
    pairings = np.array(list(permutations(range(interior))))
    is_paired = np.eye(interior, dtype=np.float32)[pairings].reshape(len(pairings), -1).T
    sources, targets = np.triu_indices(interior, k=1)
    places = 1 << np.arange(len(sources))
    sets = np.arange(1 << len(sources))
    adjacency = np.zeros((len(sets), interior, interior), dtype=bool)
    adjacency[:, sources, targets] = sets[:, None] & places
    # One bit at a time, as all at once would be gigabytes for eight vertices.
    renumbered = np.zeros((len(sets), len(pairings)), dtype=np.int16)
    for source, target, place in zip(sources, targets, places, strict=True):
        renumbered |= adjacency[:, pairings[:, source], pairings[:, target]] * np.int16(place)
    tables = (
        is_paired,
        sources,
        targets,
        places,
        np.bitwise_count(sets),
        renumbered,
    )
    return _Pairings(*(torch.from_numpy(each).to(device) for each in tables))


def edit_distance(first: PackedCells, second: PackedCells) -> Tensor:
    """Fewest unit edits between two cells: change an op, add or remove an edge or a vertex.

    Input and output are fixed. The interiors are padded with null vertices to the most that a cell
    has; every edit script then is a pairing of vertices, and the minimum over all, 120 in
    NAS-Bench-101, is exact. It is the distance of the paper's Fig. 1a, and 0 exactly for isomorphic
    cells. Where the wiring is fixed only ops can be changed, and the distance is the number of
    those that differ. Where the number of in-edges is fixed, an edge in place of another is one
    edit, and the edges of the output follow.

    Shapes:
        - first, second: `PackedCells` of ``B`` cells each
        - returns: int64 ``[B]``

    Raises:
        ValueError: the two batches differ in length or space.
    """
    if len(first) != len(second):
        raise ValueError(f"cannot pair {len(first)} cells with {len(second)}")
    if first.space != second.space:
        raise ValueError(f"cells of {first.space.name} have no distance to {second.space.name}'s")
    if first.space.wiring:
        return (first.ops != second.ops).sum(1)
    if first.space.max_vertices > _MOST_PAIRED:
        with compiled_code_kept():
            from gnn_nas.spaces.pairing_search import searched_distance
        return searched_distance(first, second)
    distances = first.edges.new_empty(len(first))
    for start in range(0, len(first), _CHUNK):
        part = slice(start, start + _CHUNK)
        distances[part] = _distance(first[part], second[part])
    return distances


def _distance(first: PackedCells, second: PackedCells) -> Tensor:
    device = first.edges.device
    pairings = _pairings(first.space.max_interior, device)
    vertices, interior, direct = _parts(first)
    other_vertices, other_interior, other_direct = _parts(second)
    # Label, edge from the input and edge to the output, for each vertex with each other one.
    pair_cost = (vertices[:, :, None] != other_vertices[:, None]).sum(-1)
    vertex_cost = (pair_cost.flatten(1).float() @ pairings.is_paired).long()
    num_bits = pairings.num_bits
    in_common = interior[:, None] & pairings.renumbered[other_interior]
    edges = (num_bits[interior] + num_bits[other_interior])[:, None]
    edge_cost = edges.long() - 2 * num_bits[in_common.long()]
    distance = (vertex_cost + edge_cost).amin(1) + (direct != other_direct)
    return distance // 2 if first.space.in_edges else distance


def _parts(cells: PackedCells) -> tuple[Tensor, Tensor, Tensor]:
    """What a cell consists of, the interior being ``n`` vertices with or without an op.

    Shapes:
        - vertices: ``[B, n, 3]``, label, edge from the input, edge to the output; where the number
          of in-edges is fixed, that counts an edit twice, as a move has two, the label again
        - interior: ``[B]``, number of the set of edges between interior vertices
        - direct: bool ``[B]``, edge from the input to the output
    """
    exists = cells.has_interior()
    adjacency = cells.adjacency()
    to_output = cells.at_output(adjacency)
    label = torch.where(exists, cells.ops, len(cells.space.ops))
    last = label if cells.space.in_edges else to_output[:, 1:-1] & exists
    vertices = torch.stack([label, adjacency[:, 0, 1:-1] & exists, last], dim=2)
    pairings = _pairings(cells.space.max_interior, adjacency.device)
    sources, targets = pairings.sources, pairings.targets
    between = adjacency[:, 1:-1, 1:-1][:, sources, targets] & exists[:, targets]
    interior = (between * pairings.places).sum(1)
    return vertices, interior, to_output[:, 0]
