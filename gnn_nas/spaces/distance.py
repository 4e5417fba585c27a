"""Exact edit distance between cells, vectorised over pairs and over pairings of their vertices."""

from itertools import permutations

import numpy as np
import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import MAX_INTERIOR, OPS
from gnn_nas.spaces.packed import PackedCells

# Pairs worked on at a time: about 20 MB of intermediate results.
_CHUNK = 4096
# The label of a vertex that a cell does not have.
_NULL = len(OPS)

# Row p, column i: the interior vertex of the second cell paired with vertex i of the first.
_PAIRINGS = np.array(list(permutations(range(MAX_INTERIOR))))
# Column p marks its pairs, so that a matrix product sums what they cost.
_IS_PAIRED = torch.from_numpy(np.eye(MAX_INTERIOR, dtype=np.float32)[_PAIRINGS]).flatten(1).T

# The edges between interior vertices are a number of ten bits, one for each of these ends.
_SOURCES, _TARGETS = np.triu_indices(MAX_INTERIOR, k=1)
_PLACES = 1 << np.arange(len(_SOURCES))
_SETS = np.arange(1 << len(_SOURCES))
_NUM_BITS = torch.from_numpy(np.bitwise_count(_SETS))


def _renumbered_sets() -> Tensor:
    """Each set of interior edges in the first cell's numbering, under each pairing.

    Edges that come to lie against the vertex order are left out: the first cell has none such.

    Shapes:
        - returns: int16 ``[1024, 120]``
    """
    adjacency = np.zeros((len(_SETS), MAX_INTERIOR, MAX_INTERIOR), dtype=bool)
    adjacency[:, _SOURCES, _TARGETS] = _SETS[:, None] & _PLACES
    renumbered = adjacency[:, _PAIRINGS[:, _SOURCES], _PAIRINGS[:, _TARGETS]]
    return torch.from_numpy((renumbered @ _PLACES).astype(np.int16))


_RENUMBERED = _renumbered_sets()


def edit_distance(first: PackedCells, second: PackedCells) -> Tensor:
    """Fewest unit edits between two cells: change an op, add or remove an edge or a vertex.

    Input and output are fixed. The interiors are padded to five with null vertices; every edit
    script then is a pairing of vertices, and the minimum over all 120 is exact. It is the distance
    of the paper's Fig. 1a, and 0 exactly for isomorphic cells.

    Shapes:
        - first, second: `PackedCells` of ``B`` cells each
        - returns: int64 ``[B]``

    Raises:
        ValueError: the two batches differ in length.
    """
    if len(first) != len(second):
        raise ValueError(f"cannot pair {len(first)} cells with {len(second)}")
    distances = first.edges.new_empty(len(first))
    for start in range(0, len(first), _CHUNK):
        part = slice(start, start + _CHUNK)
        distances[part] = _distance(first[part], second[part])
    return distances


def _distance(first: PackedCells, second: PackedCells) -> Tensor:
    device = first.edges.device
    vertices, interior, direct = _parts(first)
    other_vertices, other_interior, other_direct = _parts(second)
    # Label, edge from the input and edge to the output, for each vertex with each other one.
    pair_cost = (vertices[:, :, None] != other_vertices[:, None]).sum(-1)
    vertex_cost = (pair_cost.flatten(1).float() @ _IS_PAIRED.to(device)).long()
    num_bits = _NUM_BITS.to(device)
    in_common = interior[:, None] & _RENUMBERED.to(device)[other_interior]
    edges = (num_bits[interior] + num_bits[other_interior])[:, None]
    edge_cost = edges.long() - 2 * num_bits[in_common.long()]
    return (vertex_cost + edge_cost).amin(1) + (direct != other_direct)


def _parts(cells: PackedCells) -> tuple[Tensor, Tensor, Tensor]:
    """What a cell consists of, the interior being five vertices with or without an op.

    Shapes:
        - vertices: ``[B, 5, 3]``, label, edge from the input, edge to the output
        - interior: ``[B]``, number of the set of edges between interior vertices
        - direct: bool ``[B]``, edge from the input to the output
    """
    exists = cells.has_interior()
    adjacency = cells.adjacency()
    to_output = cells.at_output(adjacency)
    vertices = torch.stack(
        [
            torch.where(exists, cells.ops, _NULL),
            adjacency[:, 0, 1:-1] & exists,
            to_output[:, 1:-1] & exists,
        ],
        dim=2,
    )
    sources, targets, places = (
        torch.from_numpy(each).to(adjacency.device) for each in (_SOURCES, _TARGETS, _PLACES)
    )
    between = adjacency[:, 1:-1, 1:-1][:, sources, targets] & exists[:, targets]
    interior = (between * places).sum(1)
    return vertices, interior, to_output[:, 0]
