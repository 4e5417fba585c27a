"""The official API over the data here: ``from gnn_nas.benchmarks import official_api as api``."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gnn_nas.benchmarks.figures import TRIALS
from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.benchmarks.records import FIGURES
from gnn_nas.benchmarks.rows import module_hashes
from gnn_nas.spaces.conversion import Spec
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.pruning import on_a_path, sources_of
from gnn_nas.spaces.space import INPUT, OUTPUT, num_slots

_QUERIED = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")


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


class OutOfDomainError(Exception):
    """The cell or the number of epochs is outside the search space."""


class NASBench:
    """Answers as ``nasbench.api.NASBench`` does, with the same names and dictionaries.

    What the data lacks is a `UserError`, in every method that would have to give it.

    Args:
        dataset_file: a `NASBench101`, or a path for `NASBench101.open`.
        seed: of the draws between a cell's trials; by default they differ from run to run.
    """

    def __init__(self, dataset_file: NASBench101 | str | Path, seed: int | None = None) -> None:
        if not isinstance(dataset_file, NASBench101):
            dataset_file = NASBench101.open(dataset_file)
        self.benchmark = dataset_file
        self.config = {
            "module_vertices": NASBENCH101.max_vertices,
            "max_edges": NASBENCH101.max_edges,
            "num_repeats": TRIALS,
            "available_ops": list(NASBENCH101.ops),
        }
        self.valid_epochs = set(self.benchmark.epochs)
        self.reset_budget_counters()
        self._random = random.Random(seed)
        cells = self.benchmark.table.cells
        self._vertices, self._edges, self._ops = (
            tensor.numpy() for tensor in (cells.vertices, cells.edges, cells.ops)
        )
        self._parameters = self.benchmark.parameters(self.benchmark.all_rows()).numpy()

    def query(
        self, model_spec: Spec, epochs: int = 108, stop_halfway: bool = False
    ) -> dict[str, Any]:
        """Metrics of a random one of the cell's trainings, whose cost goes to the counters.

        Raises:
            OutOfDomainError: the cell or the epochs are outside the search space.
            UserError: the data lacks them.
        """
        if epochs not in self.valid_epochs:
            raise OutOfDomainError(
                f"invalid number of epochs {epochs}, must be one of {sorted(self.valid_epochs)}"
            )
        row = self._row(model_spec)
        trial, point = self._random.randrange(TRIALS), "halfway" if stop_halfway else "final"
        data = self._fixed(row)
        for name in _QUERIED:
            data[name] = self.benchmark.value(f"{point}_{name}", row, trial, epochs)
        self.training_time_spent += data["training_time"]
        self.total_epochs_spent += epochs // 2 if stop_halfway else epochs
        return data

    def is_valid(self, model_spec: Spec) -> bool:
        """Whether the cell is in the search space."""
        try:
            self._row(model_spec)
        except OutOfDomainError:
            return False
        return True

    def get_budget_counters(self) -> tuple[float, int]:
        """Total training seconds and total epochs of all queries."""
        return self.training_time_spent, self.total_epochs_spent

    def reset_budget_counters(self) -> None:
        """Count from zero again."""
        self.training_time_spent, self.total_epochs_spent = 0.0, 0

    def hash_iterator(self) -> list[str]:
        """The module hashes of all cells."""
        return module_hashes(self.benchmark.table)

    def get_metrics_from_spec(self, model_spec: Spec) -> tuple[dict, dict]:
        """All that is known of a cell. Raises `OutOfDomainError`, or as `get_metrics_from_hash`."""
        return self._metrics(self._row(model_spec))

    def get_metrics_from_hash(self, module_hash: str) -> tuple[dict, dict]:
        """The cell itself, and by epochs a list of every trial's metrics.

        Raises:
            KeyError: no cell has the hash.
            UserError: the data lacks some of the metrics.
        """
        return self._metrics(self.benchmark.table.row_of_hash(module_hash))

    def get_modelspec_by_hash(self, module_hash: str) -> ModelSpec:
        """The cell with a module hash. Raises KeyError."""
        fixed = self._fixed(self.benchmark.table.row_of_hash(module_hash))
        return ModelSpec(fixed["module_adjacency"], fixed["module_operations"])

    def _row(self, spec: Spec) -> int:
        try:
            return self.benchmark.row_of_spec(spec)
        except ValueError as error:
            raise OutOfDomainError(str(error)) from error

    def _metrics(self, row: int) -> tuple[dict, dict]:
        value = self.benchmark.value
        computed = {
            epochs: [
                {figure: value(figure, row, trial, epochs) for figure in FIGURES}
                for trial in range(TRIALS)
            ]
            for epochs in self.benchmark.epochs
        }
        return self._fixed(row), computed

    def _fixed(self, row: int) -> dict[str, Any]:
        # As `to_matrix`, without the cost of a batch.
        vertices, edges = self._vertices[row].item(), self._edges[row].item()
        matrix = [
            [x < y and edges >> (num_slots(y) + x) & 1 for y in range(vertices)]
            for x in range(vertices)
        ]
        names = [NASBENCH101.ops[op] for op in self._ops[row, : vertices - 2].tolist()]
        return {
            "module_adjacency": np.array(matrix, dtype=np.int8),
            "module_operations": [INPUT, *names, OUTPUT],
            "trainable_parameters": self._parameters[row].item(),
        }


def _digest(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
