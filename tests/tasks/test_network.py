import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from gnn_nas.spaces.conversion import from_matrix
from gnn_nas.spaces.nasbench201 import from_text
from gnn_nas.spaces.packed import PackedCells, pack
from gnn_nas.spaces.space import CellSpace, slot_of
from gnn_nas.tasks.network import CellBlock, CellNetwork, EdgeBlock, NetworkConfig

SMALL = NetworkConfig(stem_channels=7, stacks=2, cells_per_stack=2, classes=4, in_channels=1)


@pytest.fixture(scope="module")
def some(table) -> PackedCells:
    """Cells of all sizes: the 91 of at most four vertices, and 150 at random."""
    small = (table.cells.vertices <= 4).nonzero().flatten()
    generator = torch.Generator().manual_seed(0)
    return table.cells[torch.cat([small, torch.randint(len(table), (150,), generator=generator)])]


def naive_block(block: CellBlock, cell: PackedCells, x: Tensor) -> Tensor:
    """What the output vertex gives, every vertex computed from the matrix as section 2 says."""
    matrix, output = cell.adjacency()[0].tolist(), cell.vertices.item() - 1
    operations = dict(enumerate(block.operations, start=1))
    projections = {int(key) + 1: module for key, module in block.projections.items()}
    values: dict[int, Tensor] = {}
    for vertex in range(1, output):
        width = block.widths[vertex - 1]
        total = torch.zeros(len(x), width, *x.shape[2:])
        for source in range(1, vertex):
            if matrix[source][vertex]:
                total += values[source][:, :width]
        if matrix[0][vertex]:
            total += projections[vertex](x)
        values[vertex] = operations[vertex](total)
    parts = [values[vertex] for vertex in range(1, output) if matrix[vertex][output]]
    joined = torch.cat(parts, 1) if parts else 0
    return joined + projections[output](x) if matrix[0][output] else joined


def test_cell_0_has_the_official_size_and_runs_forward_and_backward(table):
    network = CellNetwork(table.cells[:1], NetworkConfig(), seed=0)
    assert sum(weight.numel() for weight in network.parameters()) == 8_555_530
    logits = network(torch.randn(2, 3, 32, 32))
    assert logits.shape == (2, 10)
    torch.nn.functional.cross_entropy(logits, torch.tensor([3, 9])).backward()
    assert all(weight.grad.isfinite().all() for weight in network.parameters())
    assert all(weight.grad.any() for weight in network.parameters() if weight.ndim > 1)


@pytest.mark.slow
def test_blocks_agree_with_the_matrix_read_vertex_by_vertex(some):
    torch.manual_seed(0)
    x = torch.randn(2, 6, 4, 5)
    truncated = 0
    for row in range(len(some)):
        cell = some[row : row + 1]
        block = CellBlock(cell, 6, 11).eval()
        found = block(x)
        assert found.shape == (2, 11, 4, 5)
        torch.testing.assert_close(found, naive_block(block, cell, x))
        truncated += any(
            block.widths[source] > width
            for sources, width in zip(block.sources[:-1], block.widths, strict=False)
            for source in sources
        )
    assert truncated > 10


def test_known_operations_by_hand():
    ops = ["input", "maxpool3x3", "output"]
    block = CellBlock(pack(from_matrix([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ops)), 5, 5).eval()
    torch.nn.init.dirac_(block.projections["0"][0].weight)
    x = torch.arange(-9.0, 91.0).reshape(1, 5, 4, 5)
    # The projection is the identity but for ReLU and 1e-5 in the normalisation.
    expected = torch.nn.functional.max_pool2d(x.relu(), 3, stride=1, padding=1)
    torch.testing.assert_close(block(x), expected, rtol=1e-4, atol=1e-4)


def test_every_cell_learns_in_a_small_network(some):
    torch.manual_seed(0)
    for row in range(0, len(some), 8):
        network = CellNetwork(some[row : row + 1], SMALL)
        logits = network(torch.randn(3, 1, 5, 5))
        assert logits.shape == (3, 4)
        logits.square().sum().backward()
        assert all(weight.grad is not None for weight in network.parameters())


def test_images_of_any_size_will_do(table):
    network = CellNetwork(table.cells[5:6], SMALL).eval()
    for size in ((1, 1), (3, 9), (8, 8), (28, 28)):
        assert network(torch.randn(2, 1, *size)).shape == (2, 4)


def test_stacks_halve_the_image_and_double_the_channels(table):
    config = NetworkConfig(stem_channels=6, stacks=3, cells_per_stack=2)
    assert config.block_channels() == [(6, 6), (6, 6), (6, 12), (12, 12), (12, 24), (24, 24)]
    shapes = []
    network = CellNetwork(table.cells[:1], config)
    for module in network.cells:
        module.register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape[1:])))
    network(torch.randn(2, 3, 9, 9))
    assert shapes == [
        *[(6, 9, 9)] * 2,
        *[(6, 5, 5), (12, 5, 5), (12, 5, 5)],
        *[(12, 3, 3), (24, 3, 3), (24, 3, 3)],
    ]


def test_a_seed_decides_the_weights_and_leaves_the_generator_alone(table):
    def weights(seed: int | None) -> Tensor:
        network = CellNetwork(table.cells[:1], SMALL, seed)
        return torch.cat([weight.flatten() for weight in network.parameters()]).detach()

    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    first = weights(0)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(4)
    assert torch.equal(weights(0), first)
    assert not torch.equal(weights(1), first)
    assert not torch.equal(weights(None), weights(None))


def test_weights_begin_with_the_official_variances(table):
    network = CellNetwork(table.cells[:1], NetworkConfig(stem_channels=64), seed=0)
    conv = network.cells[0].operations[0][0].weight
    assert conv.std().item() == pytest.approx((conv[0].numel()) ** -0.5, rel=0.05)
    dense = network.classifier.weight
    assert dense.abs().max().item() == pytest.approx((6 / sum(dense.shape)) ** 0.5, rel=0.05)
    assert not network.classifier.bias.any()


def test_only_one_pruned_valid_cell_will_do(table):
    with pytest.raises(ValueError, match="made of one cell, got 2"):
        CellNetwork(table.cells[:2], SMALL)
    edges = sum(1 << slot_of(*edge) for edge in ((0, 1), (1, 3), (0, 2)))
    dangling = PackedCells(torch.tensor([4]), torch.tensor([edges]), torch.zeros(1, 5).long())
    with pytest.raises(ValueError, match="must be pruned"):
        CellNetwork(dangling, SMALL)
    nothing = PackedCells(torch.tensor([2]), torch.tensor([0]), torch.zeros(1, 5).long())
    with pytest.raises(ValueError, match="the cell is invalid"):
        CellNetwork(nothing, SMALL)


@pytest.mark.parametrize("wrong", [{"stem_channels": 4}, {"stacks": 0}, {"width": 3}])
def test_impossible_sizes_are_refused(wrong):
    with pytest.raises(ValidationError):
        NetworkConfig(**wrong)


TEXT = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"


def test_nodes_are_sums_over_the_edges_of_nasbench201():
    """The cell of the text, written out."""
    torch.manual_seed(0)
    block = EdgeBlock(from_text(TEXT), 5).eval()
    x = torch.randn(2, 5, 6, 7)
    first = block.operations[0](x)
    second = x + block.operations[2](first)
    pooled = torch.nn.functional.avg_pool2d(first, 3, 1, 1, count_include_pad=False)
    torch.testing.assert_close(block(x), pooled + block.operations[5](second))


def test_stacks_of_nasbench201_lie_between_residual_blocks():
    config = NetworkConfig(stem_channels=6, stacks=3, cells_per_stack=2, in_channels=1)
    network = CellNetwork(from_text(TEXT), config)
    shapes, layers = [], network.cells
    for module in layers:
        module.register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape[1:])))
    logits = network(torch.randn(2, 1, 9, 9))
    assert shapes == [
        *[(6, 9, 9)] * 2,
        *[(12, 5, 5)] * 3,
        *[(24, 3, 3)] * 3,
        *[(24, 3, 3)] * 2,
    ]
    assert [type(layer).__name__ for layer in layers] == [
        *["EdgeBlock"] * 2,
        *["ResidualBlock", "EdgeBlock", "EdgeBlock"] * 2,
        *["BatchNorm2d", "ReLU"],
    ]
    assert len(network.stem) == 2  # without a ReLU
    logits.square().sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())


def test_norm_momentum_reaches_every_normalisation(table):
    config = NetworkConfig(stem_channels=6, stacks=2, cells_per_stack=1, norm_momentum=0.03)
    for cell in (table.cells[:1], from_text(TEXT)):
        norms = [
            each for each in CellNetwork(cell, config).modules() if hasattr(each, "running_mean")
        ]
        assert {norm.momentum for norm in norms} == {0.03}


def test_a_chain_of_eight_layers_is_a_network():
    edges = [(vertex, vertex + 1) for vertex in range(9)]
    modules = ("gnn_nas.tasks.ops:separable3x3", "gnn_nas.tasks.ops:skip")
    space = CellSpace.wired("chain", ("separable", "skip"), (1.0, 0.0), edges, modules=modules)
    numbers = torch.tensor([[0, 1, 0, 1, 0, 1, 0, 1]])
    cell = PackedCells(torch.tensor([10]), torch.tensor([space.mask]), numbers, space)
    network = CellNetwork(cell, NetworkConfig(stem_channels=8, stacks=2, cells_per_stack=1))
    assert [len(list(each.modules())) for each in network.cells[0].operations] == [9, 1] * 4
    assert network(torch.randn(2, 3, 8, 8)).shape == (2, 10)
