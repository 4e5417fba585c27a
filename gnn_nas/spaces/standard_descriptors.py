"""The descriptors of all cells, each column in its standard deviations over the space."""

from pathlib import Path

import torch
from torch import Tensor

from gnn_nas.spaces.cache import open_cached
from gnn_nas.spaces.descriptors import NUM_PATTERNS, NUM_SHAPE, descriptors
from gnn_nas.spaces.table import CellTable
from gnn_nas.tensor_file import checksum
from gnn_nas.user_folders import cache_folder

# Part of the file name, and another where other figures are computed: no older file is misread.
_VERSION = 1
_NAME = "descriptors"
_CHUNK = 8192
# In standard deviations: a few cells have tens of times the usual number of some path.
_LARGEST = 4.0


def load_standard_descriptors(table: CellTable, cache: Path | None = None) -> Tensor:
    """Open `standard_descriptors`, computing it first where the cache folder does not hold it yet.

    Args:
        cache: folder; by default that of the cell table.

    Raises:
        UserError: the cache folder cannot be written.
    """
    path = (cache or cache_folder()) / f"nasbench101-descriptors-{_VERSION}.safetensors"
    form = {_NAME: (torch.float16, (len(table), NUM_SHAPE + NUM_PATTERNS))}

    def is_right(arrays: dict[str, Tensor], noted: str | None) -> bool:
        found = {name: (array.dtype, tuple(array.shape)) for name, array in arrays.items()}
        return found == form and noted == checksum(arrays)

    arrays = open_cached(path, is_right, lambda: {_NAME: standard_descriptors(table).cpu()})
    return arrays[_NAME].to(table.module_hash.device)


def standard_descriptors(table: CellTable) -> Tensor:
    """Descriptors of every cell, shape before patterns, standardised over the space and clamped.

    In half precision, which is finer than any use needs and halves the memory.

    Shapes:
        - returns: float16 ``[423624, 141]``
    """
    device = table.module_hash.device
    standard = torch.empty(len(table), NUM_SHAPE + NUM_PATTERNS, dtype=torch.float16, device=device)
    total = torch.zeros(standard.shape[1], dtype=torch.float64, device=device)
    squares = torch.zeros_like(total)
    parts = torch.arange(len(table), device=device).split(_CHUNK)
    for rows in parts:
        raw = torch.cat(descriptors(table.cells[rows]), dim=1)
        total += raw.sum(0, dtype=torch.float64)
        squares += raw.double().square().sum(0)
        standard[rows] = raw.half()
    mean = total / len(table)
    # One column is the same for all cells: every input leads to an output.
    deviation = (squares / len(table) - mean.square()).clamp(min=0).sqrt().clamp(min=1e-6)
    for rows in parts:
        standardised = (standard[rows].float() - mean.float()) / deviation.float()
        standard[rows] = standardised.clamp(-_LARGEST, _LARGEST).half()
    return standard
