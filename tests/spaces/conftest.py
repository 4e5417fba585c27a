from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gnn_nas.spaces.enumeration import enumerate_forms, enumerate_matrices
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.table import CellTable

# A cell in plain Python: a label for every vertex (0 input, 1 to 3 ops, 4 output) and its edges.
Plain = tuple[list[int], set[tuple[int, int]]]


@pytest.fixture(scope="session")
def forms() -> PackedCells:
    """All 1,293,208 labelled forms, in enumeration order."""
    return enumerate_forms(*enumerate_matrices(NASBENCH101), NASBENCH101)


@pytest.fixture(scope="session")
def small_rows(table: CellTable) -> Tensor:
    """Rows of the 91 cells of at most four vertices."""
    return (table.cells.vertices <= 4).nonzero().flatten()


@pytest.fixture(scope="session")
def some_forms(forms: PackedCells) -> PackedCells:
    """The 3,364 forms of at most five vertices and 2,000 of the others."""
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randint(3364, len(forms), (2000,), generator=generator)
    return forms[torch.cat([torch.arange(3364), drawn])]


@pytest.fixture(scope="session")
def any_cells() -> PackedCells:
    """6,000 random graphs of two to seven vertices, most of them invalid or in need of pruning."""
    generator = torch.Generator().manual_seed(0)
    vertices = torch.randint(2, 8, (6000,), generator=generator)
    density = torch.rand(6000, 1, generator=generator)
    bits = torch.rand(6000, 21, generator=generator) < density
    bits &= torch.arange(21) < (vertices * (vertices - 1) // 2)[:, None]
    ops = torch.randint(3, (6000, 5), generator=generator)
    ops *= torch.arange(5) < vertices[:, None] - 2
    return PackedCells(vertices, (bits.long() << torch.arange(21)).sum(1), ops)


@pytest.fixture(scope="session")
def plain() -> Callable[[PackedCells], list[Plain]]:
    def unpack(cells: PackedCells) -> list[Plain]:
        columns = (cells.vertices.tolist(), cells.edges.tolist(), cells.ops.tolist())
        return [
            (
                [0, *[op + 1 for op in ops[: vertices - 2]], 4],
                {
                    (x, y)
                    for y in range(vertices)
                    for x in range(y)
                    if edges >> (x + y * (y - 1) // 2) & 1
                },
            )
            for vertices, edges, ops in zip(*columns, strict=True)
        ]

    return unpack
