import pytest
from torch import Tensor

from gnn_nas.cells.enumeration import enumerate_forms, enumerate_matrices
from gnn_nas.cells.packed import PackedCells
from gnn_nas.cells.table import CellTable


@pytest.fixture(scope="session")
def forms() -> PackedCells:
    """All 1,293,208 labelled forms, in enumeration order."""
    return enumerate_forms(*enumerate_matrices())


@pytest.fixture(scope="session")
def small_rows(table: CellTable) -> Tensor:
    """Rows of the 91 cells of at most four vertices."""
    return (table.cells.vertices <= 4).nonzero().flatten()
