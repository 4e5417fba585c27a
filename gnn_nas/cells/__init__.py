"""The cells of NAS-Bench-101: the table of all of them, their conversions, edits and distances."""

from gnn_nas.cells.conversion import from_matrix, from_spec, to_matrix
from gnn_nas.cells.dataset import CellDataset
from gnn_nas.cells.distance import edit_distance
from gnn_nas.cells.packed import PackedCells, pack
from gnn_nas.cells.positives import Positives, PositiveSampler
from gnn_nas.cells.pruning import prune
from gnn_nas.cells.table import CellTable, load_table
from gnn_nas.cells.tokens import from_tokens, to_tokens
from gnn_nas.cells.transform import RandomEdit

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
