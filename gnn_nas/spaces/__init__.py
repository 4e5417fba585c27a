"""The cells of NAS-Bench-101: the table of all of them, their conversions, edits and distances."""

import importlib

from gnn_nas.spaces.conversion import from_matrix, from_spec, to_matrix
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.packed import PackedCells, pack
from gnn_nas.spaces.positives import Positives, PositiveSampler
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.table import CellTable, load_table
from gnn_nas.spaces.tokens import from_tokens, to_tokens

__all__ = [
    "CellDataset",
    "CellTable",
    "PackedCells",
    "PositiveSampler",
    "Positives",
    "RandomEdit",
    "edit_distance",
    "from_matrix",
    "from_spec",
    "from_tokens",
    "load_table",
    "pack",
    "prune",
    "to_matrix",
    "to_tokens",
]

# Their base classes are PyG's, which takes a second to import.
_LAZY = ("CellDataset", "RandomEdit")


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.dataset"), name)
