import os
from collections.abc import Iterator
from functools import cache, lru_cache

import numpy as np
import pytest
import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.spaces.conversion import from_matrix
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.packed import PackedCells, pack
from gnn_nas.spaces.space import CellSpace
from gnn_nas.spaces.table import load_table
from gnn_nas.tasks import network, ops
from gnn_nas.tasks.network import CellBlock, CellNetwork, NetworkConfig
from gnn_nas.tasks.network_size import (
    check_networks,
    default_sizes,
    interior_channels,
    op_widths,
    parameter_counts,
)

OFFICIAL = NetworkConfig()


@pytest.fixture(scope="module")
def undrawn() -> Iterator[None]:
    """Makes networks whose weights nobody draws, and in which equal modules are one.

    A network takes a third of the time then; a module still counts as often as it is there.
    """
    with pytest.MonkeyPatch.context() as patch:
        for layer in (torch.nn.Conv2d, torch.nn.BatchNorm2d, torch.nn.Linear):
            patch.setattr(layer, "reset_parameters", lambda self: None)
        patch.setattr(network, "_initialise", lambda module: None)
        shared = cache(ops.ConvNormRelu)
        patch.setattr(network, "ConvNormRelu", shared)
        patch.setattr(ops, "ConvNormRelu", shared)
        # A cell's own only: its five in all, of the nine that a network has.
        patch.setattr(network, "CellBlock", lru_cache(5)(CellBlock))
        yield


def built(cell: PackedCells, config: NetworkConfig) -> int:
    """Parameters of a network that is built for it."""
    named = CellNetwork(cell, config).named_parameters(remove_duplicate=False)
    return sum(weight.numel() for _, weight in named)


def shapes(cells: PackedCells) -> Tensor:
    """What decides the size of an official network, equal where it is the same, ``[B, 6]``.

    Of every interior vertex, in no order: its op, its channels in each of the three stacks, and
    whether it reads the input; and whether the output does.
    """
    from_input = cells.adjacency()[:, 0]
    vertices = torch.where(cells.has_interior(), 1 + cells.ops * 2 + from_input[:, 1:-1], 0)
    for stack in range(OFFICIAL.stacks):
        channels = OFFICIAL.stem_channels << stack
        vertices = vertices * 1024 + interior_channels(cells, channels)
    to_output = from_input.gather(1, cells.vertices[:, None] - 1)
    return torch.cat([vertices.sort(1).values, to_output], 1)


@pytest.fixture(scope="module")
def every_shape(table, undrawn) -> tuple[Tensor, Tensor]:
    """A row of the table for every shape, and how large the network is that is built for it."""
    _, shape = shapes(table.cells).unique(dim=0, return_inverse=True)
    rows = torch.full((int(shape.max()) + 1,), len(table))
    rows.scatter_reduce_(0, shape, torch.arange(len(table)), "amin")
    cells = (table.cells[row : row + 1] for row in rows.tolist())
    return rows, torch.tensor([built(cell, OFFICIAL) for cell in cells])


def test_the_official_counts_of_all_cells(benchmark):
    counts = parameter_counts(benchmark.table.cells, OFFICIAL)
    assert counts[0] == 8_555_530
    assert len(counts) == 423_624
    assert torch.equal(counts, benchmark.parameters(benchmark.all_rows()))


def test_the_known_extremes(table):
    counts = parameter_counts(table.cells, OFFICIAL)
    assert (counts.min().item(), counts.max().item()) == (227_274, 49_979_274)


@pytest.mark.slow
def test_networks_of_every_shape_are_as_large_as_counted(table, every_shape):
    rows, found = every_shape
    assert len(rows) == 11_264
    assert torch.equal(found, parameter_counts(table.cells[rows], OFFICIAL))


@pytest.mark.slow
def test_networks_of_every_shape_have_the_official_sizes(benchmark, every_shape):
    rows, found = every_shape
    assert torch.equal(found, benchmark.parameters(rows))
    # No other size is there.
    assert torch.equal(found.unique(), benchmark.parameters(benchmark.all_rows()).unique())


@pytest.mark.parametrize(
    "config",
    [
        OFFICIAL,
        NetworkConfig(stem_channels=5, stacks=1, cells_per_stack=1, classes=1, in_channels=1),
        NetworkConfig(stem_channels=17, stacks=4, cells_per_stack=2, classes=100, in_channels=2),
    ],
)
def test_networks_of_any_size_are_as_large_as_counted(table, undrawn, config):
    rows = torch.randint(len(table), (20,), generator=torch.Generator().manual_seed(1))
    counts = parameter_counts(table.cells[rows], config).tolist()
    assert [built(table.cells[row : row + 1], config) for row in rows.tolist()] == counts


def naive_channels(vertices: int, edges: set[tuple[int, int]], channels: int) -> list[int]:
    """The official rule (Ying et al. 2019) vertex by vertex."""
    output = vertices - 1
    concatenated = [vertex for vertex in range(1, output) if (vertex, output) in edges]
    found = dict.fromkeys(range(1, output), 0)
    for place, vertex in enumerate(concatenated):
        found[vertex] = channels // len(concatenated)
        if place < channels % len(concatenated):
            found[vertex] += 1
    for vertex in reversed(range(1, output)):
        if vertex not in concatenated:
            found[vertex] = max(found[y] for x, y in edges if x == vertex)
    return [found[vertex] for vertex in range(1, output)]


def test_the_remainder_widens_the_first_vertices_and_what_feeds_them():
    ops = ["input", *["conv3x3-bn-relu"] * 4, "output"]
    edges = [(0, 1), (1, 2), (1, 3), (2, 5), (3, 5), (0, 4), (4, 5)]
    matrix = [[int((x, y) in edges) for y in range(6)] for x in range(6)]
    cell = pack(from_matrix(matrix, ops))
    assert interior_channels(cell, 128).tolist() == [[43, 43, 43, 42, 0]]
    assert interior_channels(cell, 127).tolist() == [[43, 43, 42, 42, 0]]


def test_a_cell_without_interior_has_no_channels_to_share():
    cell = pack(from_matrix([[0, 1], [0, 0]], ["input", "output"]))
    assert interior_channels(cell, 128).tolist() == [[0] * 5]


@pytest.mark.parametrize("channels", [5, 23, 128])
def test_agrees_with_the_rule_vertex_by_vertex_for_all_matrices(table, channels):
    # Channels do not depend on the operations: the first cell of each matrix will do.
    _, inverse = table.cells.edges.unique(return_inverse=True)
    first = torch.full((int(inverse.max()) + 1,), len(table)).scatter_reduce_(
        0, inverse, torch.arange(len(table)), "amin"
    )
    cells = table.cells[first]
    assert len(cells) == 2494
    adjacency = cells.adjacency().tolist()
    found = interior_channels(cells, channels).tolist()
    for vertices, matrix, widths in zip(cells.vertices.tolist(), adjacency, found, strict=True):
        edges = {(x, y) for x in range(7) for y in range(7) if matrix[x][y]}
        expected = naive_channels(vertices, edges, channels)
        assert widths == expected + [0] * (7 - vertices)


def test_too_few_channels_are_refused(table):
    with pytest.raises(ValueError, match="at least 5 channels, got 4"):
        interior_channels(table.cells[:1], 4)


def own_space(nodes: int | None = None) -> CellSpace:
    names = ("separable3x3", "relu_conv1x1", "skip")
    rest = (names, (10.0, 1.0, 0.0))
    modules = tuple(f"gnn_nas.tasks.ops:{name}" for name in names)
    if nodes:
        return CellSpace.on_edges("edges", *rest, nodes, modules=modules)
    return CellSpace("mine", *rest, 5, 6, modules=modules)


@pytest.mark.parametrize("space", [own_space(), own_space(nodes=3), NASBENCH201])
def test_networks_of_any_space_are_as_large_as_counted(space):
    cells = load_table(space).cells
    cells = cells[torch.arange(0, len(cells), max(1, len(cells) // 12))]
    config = NetworkConfig(stem_channels=7, stacks=3, cells_per_stack=2, classes=4, in_channels=2)
    found = [built(cells[row : row + 1], config) for row in range(len(cells))]
    assert len(set(found)) > 3
    assert parameter_counts(cells, config).tolist() == found


def test_the_official_counts_of_nasbench201():
    path = os.environ.get("GNN_NAS_BENCHMARK_201")
    if not path:
        pytest.skip("GNN_NAS_BENCHMARK_201 does not say where measurements of NAS-Bench-201 are")
    with np.load(path) as file:
        numbers = torch.from_numpy(file["ops"]).long()
        official = torch.from_numpy(file["cifar10_params_mb"]).double()
    count = len(numbers)
    vertices = torch.full((count,), NASBENCH201.max_vertices)
    masks = torch.full((count,), NASBENCH201.mask)
    cells = PackedCells(vertices, masks, numbers, NASBENCH201)
    counts = parameter_counts(cells, default_sizes(NASBENCH201)) / 1e6
    exact = (counts - official).abs() < 2e-6
    # The file contradicts itself in 150 cells: others of as many convolutions have other sizes.
    assert (~exact).sum() == 150
    convolutions = torch.stack([(numbers == op).sum(1) for op in (2, 3)], 1)
    for pair in convolutions.unique(dim=0):
        alike = (convolutions == pair).all(1)
        assert exact[alike].double().mean() > 0.9


def test_channels_that_ops_may_have():
    config = NetworkConfig(stem_channels=8, stacks=2)
    assert op_widths(own_space(), config) == [2, 3, 4, 5, 6, 8, 16]
    assert op_widths(own_space(nodes=3), config) == [8, 16]


def test_channels_that_are_met_are_among_them(table):
    config = NetworkConfig(stem_channels=13, stacks=2)
    met = [interior_channels(table.cells, after).unique() for _, after in config.block_channels()]
    assert set(torch.cat(met).tolist()) - {0} <= set(op_widths(NASBENCH101, config))


def test_a_stem_too_narrow_for_the_space_is_told_before_any_training():
    edges = [(0, vertex) for vertex in range(1, 8)] + [(vertex, 8) for vertex in range(1, 8)]
    space = CellSpace.wired("wide", ("skip",), (0.0,), edges, modules=("gnn_nas.tasks.ops:skip",))
    with pytest.raises(UserError, match=r"is 6, but up to 7 vertices of cells of wide share them"):
        check_networks(space, NetworkConfig(stem_channels=6))
    check_networks(space, NetworkConfig(stem_channels=7, stacks=1))


def test_a_space_without_modules_is_refused_where_networks_are_made():
    space = CellSpace("mute", ("a",), (1.0,), 4, 4)
    with pytest.raises(UserError, match="space mute does not say how its ops are built"):
        check_networks(space, NetworkConfig())
    check_networks(space, None)  # a task of the user's own may build them
