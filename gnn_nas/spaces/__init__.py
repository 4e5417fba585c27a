"""Spaces of cells: the table of all cells of one, their conversions, edits and distances."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gnn_nas.spaces.conversion import from_matrix, from_spec, to_matrix
    from gnn_nas.spaces.dataset import CellDataset, RandomEdit
    from gnn_nas.spaces.distance import edit_distance
    from gnn_nas.spaces.packed import PackedCells, pack
    from gnn_nas.spaces.positives import Positives, PositiveSampler
    from gnn_nas.spaces.pruning import prune
    from gnn_nas.spaces.table import CellTable, load_table
    from gnn_nas.spaces.tokens import from_tokens, to_tokens

# Imported when they are asked for: that there is a space is to be said before torch has loaded.
_MODULES = {
    "CellDataset": "dataset",
    "CellTable": "table",
    "PackedCells": "packed",
    "PositiveSampler": "positives",
    "Positives": "positives",
    "RandomEdit": "dataset",
    "edit_distance": "distance",
    "from_matrix": "conversion",
    "from_spec": "conversion",
    "from_tokens": "tokens",
    "load_table": "table",
    "pack": "packed",
    "prune": "pruning",
    "to_matrix": "conversion",
    "to_tokens": "tokens",
}

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


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
