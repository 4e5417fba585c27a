from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gnn_nas.benchmarks.importing import import_tfrecord
from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.table import CellTable
from tests.helpers import official_writer as writer

EPOCHS = (4, 12, 36, 108)


@pytest.fixture(scope="session")
def small_table(table) -> CellTable:
    """A space of the 91 cells of at most four vertices, so that a whole import takes no time."""
    rows = (table.cells.vertices <= 4).nonzero().flatten()
    new_row = torch.full((len(table),), -1, dtype=torch.int32)
    new_row[rows] = torch.arange(len(rows), dtype=torch.int32)
    return CellTable(
        table.cells[rows],
        table.module_hash[rows],
        new_row[table.row_of_form.long()],
        table.first_form,
    )


@pytest.fixture(scope="session")
def full_rows(small_table) -> list:
    """The trainings of ``nasbench_full.tfrecord``, were the space that small."""
    return list(writer.synthetic_rows(small_table, EPOCHS))


@pytest.fixture(scope="session")
def rows(full_rows) -> list:
    """The same for ``nasbench_only108.tfrecord``."""
    return [row for row in full_rows if row.epochs == 108]


@pytest.fixture
def import_rows(small_table, tmp_path) -> Callable[[list], Path]:
    """Writes trainings to ``official.tfrecord`` and imports it to ``imported.safetensors``."""

    def call(rows: list) -> Path:
        writer.write_tfrecord(tmp_path / "official.tfrecord", rows)
        target = tmp_path / "imported.safetensors"
        assert import_tfrecord(tmp_path / "official.tfrecord", target, small_table) == len(rows)
        return target

    return call


@dataclass
class Official:
    """A stand-in for a loaded ``nasbench.api.NASBench``, which keeps these two dictionaries."""

    fixed_statistics: dict[str, dict[str, Any]] = field(default_factory=dict)
    computed_statistics: dict[str, dict[int, list]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )


@pytest.fixture(scope="session")
def loaded() -> Callable[[list], Official]:
    """Loads trainings in the way of the official API."""

    def load(rows: list) -> Official:
        api = Official()
        for row in rows:
            size = round(len(row.adjacency) ** 0.5)
            matrix = np.array(list(row.adjacency), dtype=np.int8).reshape(size, size)
            api.fixed_statistics[row.module_hash] = {
                "module_adjacency": matrix,
                "module_operations": row.ops.split(","),
                "trainable_parameters": row.parameters,
            }
            names = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
            training = {
                f"{point}_{name}": value
                for point in ("halfway", "final")
                for name, value in zip(names, getattr(row, point), strict=True)
            }
            api.computed_statistics[row.module_hash][row.epochs].append(training)
        return api

    return load


@pytest.fixture(scope="session")
def official(loaded, rows) -> Official:
    return loaded(rows)


@pytest.fixture(scope="session")
def full_official(loaded, full_rows) -> Official:
    return loaded(full_rows)


@pytest.fixture(scope="session")
def small(official, small_table) -> NASBench101:
    """All there is to know of the small space after 108 epochs."""
    return NASBench101.from_official(official, small_table)


@pytest.fixture(scope="session")
def full(full_official, small_table) -> NASBench101:
    """The same of all four budgets."""
    return NASBench101.from_official(full_official, small_table)


@pytest.fixture(scope="session")
def compact_arrays(small_table) -> dict[str, np.ndarray]:
    """What ``nasbench101_108epochs.npz`` holds."""
    draw = np.random.default_rng(0)
    correct = draw.integers(5000, 9984, (len(small_table), 3))
    return {
        "module_hash": small_table.module_hash.numpy(),
        "trainable_parameters": draw.integers(10**6, 10**7, len(small_table), dtype=np.int32),
        "test_correct_trial0": correct[:, 0].astype(np.uint16),
        "test_correct_sum3": correct.sum(1).astype(np.uint16),
    }


@pytest.fixture(scope="session")
def validation_arrays(small_table) -> dict[str, np.ndarray]:
    """What ``validation_subset.npz`` holds, here of the 20 cells from the 10th on."""
    draw = np.random.default_rng(1)
    return {
        "module_hash": small_table.module_hash[10:30].numpy(),
        "epochs": np.array(EPOCHS),
        "validation_correct": draw.integers(5000, 9984, (20, 4)).astype(np.uint16),
        "training_seconds_108": draw.uniform(900, 1500, 20).astype(np.float32),
    }


@pytest.fixture
def compact_folder(compact_arrays, validation_arrays, tmp_path) -> Path:
    """A folder of the two files."""
    np.savez_compressed(tmp_path / "nasbench101_108epochs.npz", **compact_arrays)
    np.savez_compressed(tmp_path / "validation_subset.npz", **validation_arrays)
    return tmp_path


@pytest.fixture(scope="session")
def unpruned() -> PackedCells:
    """1,500 random graphs of two to seven vertices, most of them invalid or in need of pruning."""
    generator = torch.Generator().manual_seed(0)
    vertices = torch.randint(2, 8, (1500,), generator=generator)
    density = torch.rand(1500, 1, generator=generator)
    bits = torch.rand(1500, 21, generator=generator) < density
    bits &= torch.arange(21) < (vertices * (vertices - 1) // 2)[:, None]
    ops = torch.randint(3, (1500, 5), generator=generator)
    ops *= torch.arange(5) < vertices[:, None] - 2
    return PackedCells(vertices, (bits.long() << torch.arange(21)).sum(1), ops)
