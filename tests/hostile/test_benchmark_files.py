"""Measurements in files, damaged or made up: refused, or the same to the last bit."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gnn_nas.benchmarks import stored
from gnn_nas.benchmarks.figures import Collector
from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.benchmarks.records import FIGURES
from gnn_nas.spaces.table import CellTable
from gnn_nas.tensor_file import checksum

MAIN, BESIDE, STORED = (
    "nasbench101_108epochs.npz",
    "validation_subset.npz",
    "nasbench101.safetensors",
)
IMAGES = 9984


@pytest.fixture(scope="module")
def small_table(table) -> CellTable:
    """A space of the 91 cells of at most four vertices."""
    rows = (table.cells.vertices <= 4).nonzero().flatten()
    new_row = torch.full((len(table),), -1, dtype=torch.int32)
    new_row[rows] = torch.arange(len(rows), dtype=torch.int32)
    row_of_form = new_row[table.row_of_form.long()]
    return CellTable(table.cells[rows], table.module_hash[rows], row_of_form, table.first_form)


@pytest.fixture(scope="module")
def arrays(small_table) -> dict[str, dict[str, np.ndarray]]:
    """What the two compact files hold."""
    draw = np.random.default_rng(0)
    correct = draw.integers(5000, IMAGES, (len(small_table), 3))
    return {
        MAIN: {
            "module_hash": small_table.module_hash.numpy(),
            "trainable_parameters": draw.integers(10**6, 10**7, len(small_table), dtype=np.int32),
            "test_correct_trial0": correct[:, 0].astype(np.uint16),
            "test_correct_sum3": correct.sum(1).astype(np.uint16),
        },
        BESIDE: {
            "module_hash": small_table.module_hash[10:30].numpy(),
            "epochs": np.array([4, 12, 36, 108]),
            "validation_correct": draw.integers(5000, IMAGES, (20, 4)).astype(np.uint16),
            "training_seconds_108": draw.uniform(900, 1500, 20).astype(np.float32),
        },
    }


@pytest.fixture(scope="module")
def whole(arrays, small_table, tmp_path_factory) -> Path:
    """A folder of the compact files, and below it one of an imported file."""
    folder = tmp_path_factory.mktemp("whole")
    for name, content in arrays.items():
        np.savez_compressed(folder / name, **content)
    (folder / "imported").mkdir()
    collector, draw = Collector(small_table), random.Random(0)
    for row in range(3 * len(small_table)):
        values = [draw.uniform(0.2, 0.9) * (1000 if "time" in name else 1) for name in FIGURES]
        collector.add(collector.hashes[row // 3], 108, 1000 + row // 3, values)
    stored.save_figures(folder / "imported" / STORED, collector.finish("here"), small_table)
    return folder


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    for name in (MAIN, BESIDE):
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    return tmp_path


@pytest.fixture
def imported(whole, tmp_path) -> Path:
    (tmp_path / STORED).write_bytes((whole / "imported" / STORED).read_bytes())
    return tmp_path / STORED


@pytest.fixture(scope="module")
def is_refused(whole, small_table, refusal) -> Callable[[Path], bool]:
    """Says whether measurements are refused, in one line; they are the whole ones if not."""
    known = {
        is_imported: NASBench101.open(whole / "imported" if is_imported else whole, small_table)
        for is_imported in (True, False)
    }

    def check(path: Path) -> bool:
        if message := refusal(NASBench101.open, path, small_table):
            assert str(path.parent) in message
            return True
        found, expected = NASBench101.open(path, small_table), known[path.name == STORED]
        assert found.identity == expected.identity
        every = found.all_rows()
        for figure in ("mean_test", "unseen_test", "test", "parameters"):
            assert torch.equal(getattr(found, figure)(every), getattr(expected, figure)(every))
        return False

    return check


def test_the_whole_ones_are_taken(is_refused, folder, imported):
    assert not is_refused(folder / MAIN)
    assert not is_refused(imported)


@pytest.mark.parametrize("name", [MAIN, BESIDE])
@pytest.mark.parametrize("seed", range(48))
def test_a_damaged_compact_file(is_refused, folder, damaged, name, seed):
    (folder / name).write_bytes(damaged((folder / name).read_bytes(), seed))
    is_refused(folder / MAIN)


@pytest.mark.parametrize("seed", range(64))
def test_a_damaged_imported_file(is_refused, imported, damaged, seed):
    imported.write_bytes(damaged(imported.read_bytes(), seed))
    is_refused(imported)


def at(row: int, value: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array[row] = value
        return array

    return change


IMPOSSIBLE = [
    *((MAIN, "test_correct_sum3", at(row, 3 * IMAGES + 1)) for row in (0, 50, 90)),
    *((MAIN, "test_correct_sum3", at(row, 65535)) for row in (3, 40)),
    *((MAIN, "test_correct_sum3", at(row, 0)) for row in (0, 90)),
    (MAIN, "test_correct_sum3", lambda a: a * 0),
    (MAIN, "test_correct_sum3", lambda a: a * 0 + 9000),
    (MAIN, "test_correct_sum3", lambda a: a // 6),
    *((MAIN, "test_correct_trial0", at(row, IMAGES + 1)) for row in (0, 50, 90)),
    *((MAIN, "test_correct_trial0", at(row, 65535)) for row in (3, 40)),
    (MAIN, "test_correct_trial0", at(7, 0)),
    (MAIN, "test_correct_trial0", lambda a: a * 0),
    (MAIN, "test_correct_trial0", lambda a: a * 0 + 5000),
    *((MAIN, "trainable_parameters", at(row, value)) for row in (0, 90) for value in (-1, 0)),
    (MAIN, "trainable_parameters", at(5, -(2**31))),
    (MAIN, "trainable_parameters", lambda a: -a),
    (MAIN, "trainable_parameters", lambda a: a * 0),
    (MAIN, "module_hash", lambda a: a[::-1]),
    (MAIN, "module_hash", lambda a: np.concatenate([a[:1], a[:-1]])),
    (MAIN, "module_hash", lambda a: a[:-1]),
    (BESIDE, "module_hash", lambda a: np.concatenate([a[:1], a[:-1]])),
    (BESIDE, "module_hash", lambda a: a ^ 1),
    (BESIDE, "epochs", lambda a: a * 0),
    *((BESIDE, "validation_correct", at(row, IMAGES + 1)) for row in (0, 19)),
    (BESIDE, "validation_correct", at(3, 65535)),
    (BESIDE, "validation_correct", lambda a: a * 0),
    *((BESIDE, "training_seconds_108", at(3, value)) for value in (-1, np.inf, -np.inf)),
    (BESIDE, "training_seconds_108", lambda a: -a),
    (BESIDE, "training_seconds_108", lambda a: a * 0),
]


@pytest.mark.parametrize("number", range(len(IMPOSSIBLE)))
def test_a_compact_file_of_what_no_training_gives(is_refused, folder, arrays, number):
    name, key, change = IMPOSSIBLE[number]
    np.savez(folder / name, **{**arrays[name], key: change(arrays[name][key])})
    assert is_refused(folder / MAIN)


@pytest.mark.parametrize("name", [MAIN, BESIDE])
@pytest.mark.parametrize("number", range(4))
def test_doubled_rows(is_refused, folder, arrays, name, number):
    length = len(arrays[name]["module_hash"])
    doubled = {
        key: np.repeat(array, 2, axis=0) if len(array) == length else array
        for key, array in arrays[name].items()
    }
    if number:
        doubled = {
            key: np.concatenate([array[:number], array]) if len(array) == length else array
            for key, array in arrays[name].items()
        }
    np.savez(folder / name, **doubled)
    assert is_refused(folder / MAIN)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (MAIN, "trainable_parameters"),
        (MAIN, "test_correct_sum3"),
        (BESIDE, "validation_correct"),
        (BESIDE, "training_seconds_108"),
    ],
)
@pytest.mark.parametrize("seed", range(6))
def test_other_values_are_another_identity(folder, arrays, small_table, name, key, seed):
    before = NASBench101.open(folder, small_table).identity
    draw = np.random.default_rng(seed)
    # All of them in another order, or two that have changed places.
    array = arrays[name][key]
    order = draw.permutation(len(array)) if seed % 2 else np.arange(len(array))
    if not seed % 2:
        one, other = draw.choice(len(array), 2, replace=False)
        order[[one, other]] = order[[other, one]]
    changed = {**arrays[name], key: array[order]}
    if key == "test_correct_sum3":
        changed["test_correct_trial0"] = arrays[name]["test_correct_trial0"][order]
    np.savez(folder / name, **changed)
    assert NASBench101.open(folder, small_table).identity != before


def test_an_array_that_is_packed_to_a_thousandth(is_refused, folder, arrays):
    """Of 400 MB, in a file of 400 kB."""
    with zipfile.ZipFile(folder / MAIN, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("more.npy", bytes(400_000_000))
    assert is_refused(folder / MAIN)


STORED_CHANGES = [
    *(("final_test_accuracy/108/0", at(3, v)) for v in (1.1, -0.1, np.nan, np.inf, 300.0)),
    *(("final_validation_accuracy/108/1", at(3, v)) for v in (1.1, -0.1, np.inf, 300.0)),
    *(("halfway_train_accuracy/108/2", at(90, v)) for v in (1.1, -0.1, np.inf)),
    *(("final_training_time/108/0", at(3, v)) for v in (-1.0, np.inf, -np.inf)),
    *(("trainable_parameters", at(3, v)) for v in (-1, 0)),
    *(("final_test_accuracy/108/0", lambda a, n=n: a * n) for n in (0, 2)),
    ("final_test_accuracy/108/2", lambda a: a.astype(np.float64)),
    ("final_test_accuracy/108/2", lambda a: a.astype(np.float16)),
    ("final_test_accuracy/108/2", lambda a: a[:-1]),
    ("final_test_accuracy/108/2", lambda a: a[None]),
    ("final_training_time/108/0", lambda a: a.astype(np.float32)),
    ("trainable_parameters", lambda a: a.astype(np.int64)),
    ("trainable_parameters", lambda a: a[:-1]),
    ("module_hash", lambda a: a[::-1].copy()),
    ("module_hash", lambda a: a.astype(np.int16)),
    ("module_hash", lambda a: a[:, :8].copy()),
    *((f"{name}/108/0", None) for name in FIGURES),
    ("trainable_parameters", None),
    ("module_hash", None),
    *((f"more{slashes}", lambda a: np.zeros(91, np.float32)) for slashes in ("", "/", "/x/y")),
    ("final_test_accuracy/4/0", lambda a: np.full(91, 0.5, np.float32)),
    ("final_test_accuracy/108/3", lambda a: np.full(91, 0.5, np.float32)),
]


@pytest.mark.parametrize("number", range(len(STORED_CHANGES)))
def test_an_imported_file_of_other_arrays_whose_checksum_fits(is_refused, imported, number):
    name, change = STORED_CHANGES[number]
    tensors = load_file(imported)
    given = tensors.pop(name, None)
    if change is not None:
        array = change(None if given is None else given.numpy())
        tensors[name] = torch.from_numpy(np.ascontiguousarray(array))
    save_file(tensors, imported, {stored._FORMAT: checksum(tensors)})
    assert is_refused(imported)
