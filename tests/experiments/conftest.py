"""A few cells, what they are made of, and rewards that follow from it."""

import pytest
import torch

from gnn_nas.spaces.descriptors import standard_descriptors
from gnn_nas.spaces.table import CellTable


@pytest.fixture(scope="session")
def few(table) -> CellTable:
    """A table of 300 cells of the space; only its cells are ever looked at."""
    rows = torch.arange(0, len(table), len(table) // 300)[:300]
    return CellTable(
        table.cells[rows], table.module_hash[rows], table.row_of_form, table.first_form
    )


@pytest.fixture(scope="session")
def descriptors(few) -> torch.Tensor:
    return standard_descriptors(few)


@pytest.fixture(scope="session")
def rewards(few) -> torch.Tensor:
    cells = few.cells
    convs = ((cells.ops == 0) & cells.has_interior()).sum(1)
    return 0.8 + 0.02 * convs.double() + 0.004 * cells.edge_bits().sum(1)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)
