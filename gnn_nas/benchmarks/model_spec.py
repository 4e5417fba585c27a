"""A stand-in for the official ``ModelSpec``, for code written against ``nasbench.api``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gnn_nas.spaces.pruning import on_a_path, sources_of


class ModelSpec:
    """A cell as adjacency matrix and op names, pruned (Ying et al. 2019).

    ``matrix`` and ``ops`` are the pruned cell's, or None where no path leads from the first to the
    last vertex; then ``valid_spec`` is false. ``original_matrix`` and ``original_ops`` are what was
    given.

    Raises:
        ValueError: the matrix is not square or strictly upper triangular, or the ops do not fit.
    """

    def __init__(
        self, matrix: ArrayLike, ops: Sequence[str], data_format: str = "channels_last"
    ) -> None:
        self.original_matrix = np.array(matrix)
        self.original_ops = list(ops)
        self.data_format = data_format
        shape = self.original_matrix.shape
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError("matrix must be square")
        if shape[0] != len(self.original_ops):
            raise ValueError("length of ops must match matrix dimensions")
        if np.tril(self.original_matrix).any():
            raise ValueError("matrix must be upper triangular")
        kept = on_a_path(sources_of(self.original_matrix != 0))
        self.valid_spec = len(kept) >= 2
        self.matrix: Any = self.original_matrix[np.ix_(kept, kept)] if self.valid_spec else None
        self.ops: Any = [self.original_ops[at] for at in kept] if self.valid_spec else None

    def hash_spec(self, canonical_ops: Sequence[str]) -> str:
        """The module hash, with the ops numbered as in ``canonical_ops``."""
        edges = self.matrix != 0
        labels = [-1, *(list(canonical_ops).index(op) for op in self.ops[1:-1]), -2]
        degrees = zip(edges.sum(1).tolist(), edges.sum(0).tolist(), labels, strict=True)
        hashes = [_digest(str(vertex)) for vertex in degrees]
        for _ in labels:
            hashes = [
                _digest(
                    "|".join(
                        (
                            "".join(
                                sorted(hashes[other] for other in edges[:, vertex].nonzero()[0])
                            ),
                            "".join(sorted(hashes[other] for other in edges[vertex].nonzero()[0])),
                            own,
                        )
                    )
                )
                for vertex, own in enumerate(hashes)
            ]
        return _digest(str(sorted(hashes)))


def _digest(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
