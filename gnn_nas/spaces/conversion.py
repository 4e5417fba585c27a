"""Single cells as adjacency matrix and op names, the way NAS-Bench-101 writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike

from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import pack
from gnn_nas.spaces.pruning import on_a_path, sources_of
from gnn_nas.spaces.space import INPUT, OUTPUT, CellSpace

if TYPE_CHECKING:
    from torch_geometric.data import Data


class Spec(Protocol):
    """Anything with a matrix and ops, such as the official ``nasbench.api.ModelSpec``."""

    matrix: Any
    ops: Any


def from_matrix(matrix: ArrayLike, ops: Sequence[str], space: CellSpace = NASBENCH101) -> Data:
    """Make a cell of an adjacency matrix and its op names.

    It is pruned first, as by the official ``ModelSpec``: vertices on no path from the input to the
    output are dropped, whatever their ops are, and only what is left must keep the space's limits.

    Shapes:
        - matrix: ``[V, V]`` of 0 and 1, strictly upper triangular
        - ops: ``V`` names; of the vertices kept ``input`` is the first, ``output`` the last, and
          the names of ops of the space are between

    Raises:
        ValueError: the matrix or the ops break a rule above, output cannot be reached from input,
            or more vertices or edges are left than the space allows.
    """
    from torch_geometric.data import Data

    edges = _checked_matrix(matrix, space)
    if len(ops) != len(edges):
        raise ValueError(f"{len(ops)} ops do not fit a matrix of {len(edges)} vertices")
    kept = on_a_path(sources_of(edges != 0))
    edges = edges[np.ix_(kept, kept)]
    _check_size(edges, space)
    features = _checked_features([(vertex, ops[vertex]) for vertex in kept], space)
    return Data(
        x=torch.eye(len(space.features))[features],
        edge_index=torch.from_numpy(np.stack(edges.nonzero())),
    )


def from_spec(spec: Spec, space: CellSpace = NASBENCH101) -> Data:
    """Make a cell of an official ``ModelSpec``, pruned or not, or of anything like it.

    Raises:
        ValueError: as `from_matrix`, or the spec has no matrix: the official class sets it to
            ``None`` where the output cannot be reached.
    """
    if spec.matrix is None or spec.ops is None:
        raise ValueError("the spec has no matrix or no ops: no path from the input to the output")
    return pack(from_matrix(spec.matrix, spec.ops, space), space).to_batch()[0]


def to_matrix(cell: Data, space: CellSpace = NASBENCH101) -> tuple[np.ndarray, list[str]]:
    """Adjacency matrix and op names of a cell: what the official ``ModelSpec`` takes.

    Shapes:
        - returns: int8 ``[V, V]`` and ``V`` names, ``input`` and ``output`` included

    Raises:
        ValueError: the cell is malformed (see `pack`).
    """
    packed = pack(cell, space)
    vertices = packed.vertices.item()
    matrix = packed.adjacency()[0, :vertices, :vertices].cpu().numpy().astype(np.int8)
    return matrix, [space.features[feature] for feature in packed.features()[0, :vertices].tolist()]


def _checked_matrix(matrix: ArrayLike, space: CellSpace) -> np.ndarray:
    try:
        edges = np.asarray(matrix)
    except ValueError as error:
        raise ValueError("the matrix has rows of different length") from error
    if edges.ndim != 2 or edges.shape[0] != edges.shape[1]:
        raise ValueError(f"the matrix must be square, got shape {edges.shape}")
    if len(edges) < 2:
        raise ValueError(f"a cell has 2 to {space.max_vertices} vertices, got {len(edges)}")
    if not np.isin(edges, (0, 1)).all():
        raise ValueError("the matrix must hold only 0 and 1")
    if np.tril(edges).any():
        x, y = np.argwhere(np.tril(edges))[0].tolist()
        raise ValueError(f"the matrix must be strictly upper triangular, got an edge {x} -> {y}")
    return edges


def _check_size(pruned: np.ndarray, space: CellSpace) -> None:
    if not len(pruned):
        raise ValueError("no path leads from the input to the output")
    most, most_edges = space.max_vertices, space.max_edges
    if len(pruned) > most:
        raise ValueError(f"a cell has 2 to {most} vertices, got {len(pruned)} after pruning")
    if (count := np.count_nonzero(pruned)) > most_edges:
        raise ValueError(f"a cell has at most {most_edges} edges, this one {count} after pruning")


def _checked_features(vertices: list[tuple[int, str]], space: CellSpace) -> list[int]:
    """Columns of ``x`` for the vertices kept: their numbers before pruning and their ops."""
    (_, first), *interior, (_, last) = vertices
    if (first, last) != (INPUT, OUTPUT):
        raise ValueError(
            f"ops must begin with {INPUT!r} and end with {OUTPUT!r}, got {first!r} and {last!r}"
        )
    for vertex, op in interior:
        if op not in space.ops:
            known = ", ".join(space.ops)
            raise ValueError(f"unknown op {op!r} at vertex {vertex}; known are {known}")
    return [space.features.index(op) for _, op in vertices]
