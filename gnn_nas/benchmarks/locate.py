"""Where the measurements of NAS-Bench-101 are on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from gnn_nas.benchmarks.nasbench101 import STORED_FILE, NASBench101
from gnn_nas.cells.table import CellTable
from gnn_nas.errors import UserError

VARIABLE = "GNN_NAS_BENCHMARK"
_URL = "https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord"


def find_benchmark(path: str | Path | None = None, table: CellTable | None = None) -> NASBench101:
    """Open the given data, else that of ``$GNN_NAS_BENCHMARK``, else that of the data folder.

    Raises:
        UserError: there is none, or it cannot be opened.
    """
    if chosen := path or os.environ.get(VARIABLE):
        return NASBench101.open(chosen, table)
    if not has_benchmark():
        raise UserError(
            f"no measurements of NAS-Bench-101 are here: download {_URL} (500 MB) and run"
            f" bin/import-nasbench nasbench_only108.tfrecord; where they are elsewhere, say so by"
            f" --benchmark PATH or {VARIABLE}"
        )
    return NASBench101.open(default_path(), table)


def has_benchmark() -> bool:
    """Whether measurements are named by the environment or imported; opening them may yet fail."""
    return bool(os.environ.get(VARIABLE)) or default_path().exists()


def default_path() -> Path:
    """Where an import is written by default: in the user's data folder."""
    folder = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(folder) / "gnn_nas" / STORED_FILE
