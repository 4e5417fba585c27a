from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from gnn_nas.cells.table import CellTable

# How fast an example is depends on what else the machine does; that is no property to test.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def table() -> CellTable:
    """The table of all cells; the first test run of a machine enumerates it."""
    # Imported here: torch_geometric is slow to import, and most tests do without.
    from gnn_nas.cells.table import load_table

    return load_table()
