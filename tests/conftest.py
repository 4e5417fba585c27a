from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from gnn_nas.benchmarks.nasbench101 import NASBench101
    from gnn_nas.cells.table import CellTable

# How fast an example is depends on what else the machine does; that is no property to test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# A shell starts background jobs deaf to Ctrl-C, and their children inherit it: the tests that send
# it to commands would wait in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def table() -> CellTable:
    """The table of all cells; the first test run of a machine enumerates it."""
    # Imported here: torch_geometric is slow to import, and most tests do without.
    from gnn_nas.cells.table import load_table

    return load_table()


@pytest.fixture(scope="session")
def benchmark_path() -> Path:
    """Real measurements of NAS-Bench-101, which not every machine has."""
    path = os.environ.get("GNN_NAS_BENCHMARK")
    if not path:
        pytest.skip("GNN_NAS_BENCHMARK does not say where measurements of NAS-Bench-101 are")
    return Path(path)


@pytest.fixture(scope="session")
def benchmark(benchmark_path: Path, table: CellTable) -> NASBench101:
    """The real measurements, opened."""
    from gnn_nas.benchmarks.nasbench101 import NASBench101

    return NASBench101.open(benchmark_path, table)
