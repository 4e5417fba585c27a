"""NAS-Bench-101 in numpy files of counts: less than the official data, but a hundredth of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gnn_nas.benchmarks.figures import EPOCHS, FULL_EPOCHS, TRIALS, Column, Figures
from gnn_nas.errors import UserError
from gnn_nas.files import open_regular
from gnn_nas.spaces.table import CellTable

COMPACT_FILE = "nasbench101_108epochs.npz"
_VALIDATION_FILE = "validation_subset.npz"
_IMAGES = 9984
# Bytes of a cell in the largest array, and of what says what an array is.
_LARGEST_ROW, _HEADER = 16, 10_000

# What the files hold; -1 is the number of cells.
_MAIN = {
    "module_hash": (np.uint8, (-1, 16)),
    "trainable_parameters": (np.int32, (-1,)),
    "test_correct_trial0": (np.uint16, (-1,)),
    "test_correct_sum3": (np.uint16, (-1,)),
}
_VALIDATION = {
    "module_hash": (np.uint8, (-1, 16)),
    "epochs": (np.int64, (len(EPOCHS),)),
    "validation_correct": (np.uint16, (-1, len(EPOCHS))),
    "training_seconds_108": (np.float32, (-1,)),
}


def load_compact(path: Path, table: CellTable) -> Figures:
    """Read the test accuracies of all cells and, where they lie beside, what is known of some.

    Raises:
        UserError: a file is missing, damaged or something else, or is about other cells.
    """
    arrays = _read(path, _MAIN, len(table))
    hashes = table.module_hash.cpu().numpy()
    if not np.array_equal(arrays["module_hash"], hashes):
        raise _foreign(path)
    first = torch.from_numpy(arrays["test_correct_trial0"]).double()
    total = torch.from_numpy(arrays["test_correct_sum3"]).double()
    columns = {Column("final_test_accuracy", FULL_EPOCHS, 0): first / _IMAGES}
    beside = path.with_name(_VALIDATION_FILE)
    if beside.exists():
        columns |= _read_validation(beside, hashes)
    return Figures(
        torch.from_numpy(arrays["trainable_parameters"]),
        columns,
        mean_test=total / (TRIALS * _IMAGES),
        unseen_test=(total - first) / ((TRIALS - 1) * _IMAGES),
    )


def _read_validation(path: Path, hashes: np.ndarray) -> dict[Column, Tensor]:
    arrays = _read(path, _VALIDATION, len(hashes))
    known, correct = arrays["module_hash"], arrays["validation_correct"]
    # The table is sorted by hash, so rows are found by bisection.
    rows = np.searchsorted(_keys(hashes), _keys(known)).clip(max=len(hashes) - 1)
    if not np.array_equal(hashes[rows], known):
        raise _foreign(path)
    if len(np.unique(rows)) < len(rows):
        raise _unusable(path, "it has a cell twice")
    if arrays["epochs"].tolist() != list(EPOCHS):
        raise _unusable(path, f"its epochs are {arrays['epochs'].tolist()}")
    columns = {
        Column("final_validation_accuracy", epochs, 0): correct[:, budget] / _IMAGES
        for budget, epochs in enumerate(EPOCHS)
    }
    columns[Column("final_training_time", FULL_EPOCHS, 0)] = arrays["training_seconds_108"]
    return {column: _spread(values, rows, len(hashes)) for column, values in columns.items()}


def _read(
    path: Path, expected: Mapping[str, tuple[Any, tuple[int, ...]]], most: int
) -> dict[str, np.ndarray]:
    """Read arrays of at most ``most`` cells."""
    try:
        with open_regular(path) as stream, np.load(stream, allow_pickle=False) as file:
            # Packed, a few bytes can be any number.
            if any(part.file_size > _LARGEST_ROW * most + _HEADER for part in file.zip.infolist()):
                raise ValueError("it has more cells than there are")
            # What does not begin as an array does is given as bytes.
            arrays = {name: np.asarray(file[name]) for name in expected}
    except Exception as error:  # damaged bytes can raise anything in zipfile and numpy
        raise _unusable(path, f"{type(error).__name__}: {error}") from error
    cells = arrays["module_hash"].size // 16
    for name, (dtype, shape) in expected.items():
        array = arrays[name]
        if array.dtype != dtype or array.shape != tuple(cells if n < 0 else n for n in shape):
            raise _unusable(path, f"its {name} is {array.dtype} {array.shape}")
    return arrays


def _unusable(path: Path, reason: str) -> UserError:
    return UserError(f"{path} is damaged or no NAS-Bench-101 data ({reason}): get the file anew")


def _foreign(path: Path) -> UserError:
    return UserError(f"{path} is about other cells than those of NAS-Bench-101: get the file anew")


def _keys(hashes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(hashes).view("S16").ravel()


def _spread(values: np.ndarray, rows: np.ndarray, cells: int) -> Tensor:
    column = torch.full((cells,), torch.nan, dtype=torch.float64)
    column[torch.from_numpy(rows)] = torch.from_numpy(values).double()
    return column
