"""Every statistic against a computation that is obviously right, one image or ReLU at a time."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from gnn_nas.function import STATISTICS
from gnn_nas.function.probes import Probes, open_probes
from gnn_nas.function.statistics import measure_cell
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH, from_links, from_text
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.space import CellSpace
from gnn_nas.tasks.graph_network import GraphNetwork
from gnn_nas.tasks.network import CellNetwork
from gnn_nas.tasks.network_size import NetworkConfig
from tests.helpers.own_module import write_module

SIZES = NetworkConfig(stem_channels=8, stacks=2, cells_per_stack=1, classes=4, in_channels=2)
# A diamond of both convolutions and the pooling, with an edge from input to output.
EDGES = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4)]

MODULE = """
import torch
from torch import nn

class Square(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return x * x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context, gradient):
        return 2 * context.saved_tensors[0] * gradient

class Once(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.unused = nn.Parameter(torch.ones(channels))
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)
        self.kernel = torch.ones(channels, channels, 1, 1)

    def forward(self, x):
        return Square.apply(nn.functional.conv2d(x, self.kernel)) * self.frozen

class Mixing(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.relu = nn.ReLU()

    def forward(self, x):
        return self.relu(x.flatten(0, 1)).view_as(x)

def dropping(channels):
    return nn.Dropout(0.5)

class Beginning(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        nn.init.constant_(self.norm.weight, -2)
        self.shift = nn.Parameter(torch.randn(channels, 1, 1))
        self.register_buffer("mask", torch.rand(channels, 1, 1) < 0.5)

    def forward(self, x):
        return self.norm(x) * self.mask + self.shift
"""


def slot(edge):
    x, y = edge
    return x + y * (y - 1) // 2


def diamond(space: CellSpace | None = None, ops: tuple[int, ...] = (0, 1, 2)) -> PackedCells:
    from gnn_nas.spaces.nasbench101 import NASBENCH101

    space = space or NASBENCH101
    padded = [*ops, *[0] * (space.max_interior - len(ops))]
    mask = sum(1 << slot(edge) for edge in EDGES)
    return PackedCells(torch.tensor([5]), torch.tensor([mask]), torch.tensor([padded]), space)


def of_edges(ops: tuple[int, ...]) -> PackedCells:
    mask = torch.tensor([NASBENCH201.mask])
    vertices = torch.tensor([NASBENCH201.max_vertices])
    return PackedCells(vertices, mask, torch.tensor([ops]), NASBENCH201)


def images(count: int = 6, further: int = 20) -> Probes:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(count + further, 2, 6, 6, generator=generator)
    labels = torch.arange(count + further) % SIZES.classes
    # Something for the readout to find.
    pixels[:, 0, :3] += labels[:, None, None]
    return Probes(pixels[:count], labels[:count], pixels[count:], labels[count:])


def measured(cell: PackedCells, probes: Probes | None = None, seed: int = 3) -> dict:
    (values,) = measure_cell(cell, probes or images(), SIZES, [seed])
    return dict(zip(STATISTICS, values, strict=True))


CELLS = {"nasbench101": diamond(), "nasbench201": of_edges((3, 1, 2, 4, 0, 3))}


@pytest.fixture(params=CELLS)
def cell(request) -> PackedCells:
    return CELLS[request.param]


def passed(cell):
    """The network, what its last cell gives, the outputs of its ReLUs, and its logits."""
    network = CellNetwork(cell, SIZES, 3)
    relus: list[torch.Tensor] = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(lambda _, __, output: relus.append(output.detach()))
    maps: list[torch.Tensor] = []
    network.cells.register_forward_hook(lambda _, __, output: maps.append(output.detach()))
    logits = network(images().images)
    return network, maps[0], relus, logits


def effective_rank(matrix: np.ndarray) -> float:
    values = np.linalg.eigvalsh(matrix.astype(np.float64))
    shares = [value / values.sum() for value in values if value > 0]
    return math.exp(-sum(share * math.log(share) for share in shares))


def test_there_are_fourteen_and_each_says_what_it_is():
    assert len(STATISTICS) == 14
    assert all(len(about) > 20 for about in STATISTICS.values())


def test_figures_of_features_are_those_of_every_image_on_its_own(cell):
    _, maps, _, logits = passed(cell)
    features = np.array([[float(m.mean()) for m in image] for image in maps])
    figures = measured(cell)
    norms = [math.sqrt(sum(v * v for v in image)) for image in features]
    assert figures["feature_norm"] == pytest.approx(math.log(np.mean(norms)), abs=1e-4)
    pairs = [
        np.corrcoef(features[i], features[j])[0, 1] for i in range(6) for j in range(6) if i != j
    ]
    assert figures["feature_correlation"] == pytest.approx(np.mean(pairs), abs=1e-4)
    centred = features - features.mean(0)
    assert figures["feature_rank"] == pytest.approx(effective_rank(centred @ centred.T), abs=1e-3)
    flat = np.corrcoef(maps.flatten(1).numpy())
    assert figures["map_rank"] == pytest.approx(effective_rank(flat), abs=1e-3)
    spread = np.mean([np.std(logit, ddof=1) for logit in logits.detach().numpy().T])
    assert figures["output_spread"] == pytest.approx(math.log(spread), abs=1e-4)


def test_the_relu_kernel_is_counted_unit_by_unit(cell):
    _, _, relus, _ = passed(cell)
    on = [[bool(v > 0) for each in relus for v in each[image].flatten()] for image in range(6)]
    units = len(on[0])
    kernel = np.array(
        [[sum(a == b for a, b in zip(one, other, strict=True)) for other in on] for one in on]
    )
    kernel = kernel / units
    figures = measured(cell)
    assert figures["relu_activity"] == pytest.approx(np.mean(on), abs=1e-6)
    assert figures["relu_rank"] == pytest.approx(effective_rank(kernel), abs=1e-4)
    _, logdet = np.linalg.slogdet(kernel + 1e-6 * np.eye(6))
    assert figures["relu_logdet"] == pytest.approx(logdet, abs=1e-3)


def test_gradients_by_parameters_are_those_of_a_backward_pass(cell):
    network, _, _, logits = passed(cell)
    F.cross_entropy(logits, images().labels).backward()
    squares = flow = 0.0
    for parameter in network.parameters():
        squares += float(parameter.grad.square().sum())
        flow += float((parameter.grad * parameter.detach()).abs().sum())
    figures = measured(cell)
    assert figures["gradient_norm"] == pytest.approx(math.log(math.sqrt(squares)), abs=1e-4)
    assert figures["snip"] == pytest.approx(math.log(flow), abs=1e-4)


def test_the_jacobian_is_that_of_one_image_after_the_other(cell):
    network = CellNetwork(cell, SIZES, 3)
    probes = images()
    rows = []
    for number in range(len(probes.images)):
        image = probes.images[number].clone().requires_grad_()
        batch = torch.stack(
            [image if other == number else probes.images[other] for other in range(6)]
        )
        loss = F.cross_entropy(network(batch), probes.labels)
        rows.append(torch.autograd.grad(loss, image)[0].flatten().numpy())
    figures = measured(cell)
    norm = np.mean([np.linalg.norm(row) for row in rows])
    assert figures["jacobian_norm"] == pytest.approx(math.log(norm), abs=1e-3)
    assert figures["jacobian_rank"] == pytest.approx(effective_rank(np.corrcoef(rows)), abs=1e-2)


def test_synflow_is_how_the_output_grows_with_all_parameters(cell):
    # As nothing is negative, the sum is the derivative by a factor of all parameters.
    def output(factor: float) -> float:
        network = CellNetwork(cell, SIZES, 3).double().eval()
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.copy_(parameter.abs() * factor)
            return float(network(torch.ones(1, 2, 6, 6, dtype=torch.double)).sum())

    step = 1e-5
    derivative = (output(1 + step) - output(1 - step)) / (2 * step)
    assert measured(cell)["synflow"] == pytest.approx(math.log(derivative), abs=1e-4)


def test_synflow_sees_no_image(cell):
    probes = images()
    other = probes._replace(images=probes.images * 3 + 1)
    first, second = measured(cell, probes), measured(cell, other)
    assert first["synflow"] == second["synflow"]
    assert first["gradient_norm"] != second["gradient_norm"]


def left_out(x: np.ndarray, labels: np.ndarray) -> float:
    """The share that ridge regression tells right which is fitted anew without each row."""
    x = x - x.mean(0)
    x = x / np.linalg.norm(x) * math.sqrt(len(x))
    y = np.eye(SIZES.classes)[labels]
    y = y - y.mean(0)
    right = 0
    for row in range(len(x)):
        others = [other for other in range(len(x)) if other != row]
        gram = x[others].T @ x[others] + 0.1 * np.eye(x.shape[1])
        told = x[row] @ np.linalg.solve(gram, x[others].T @ y[others])
        right += told.argmax() == labels[row]
    return right / len(x)


def test_the_readout_fits_anew_without_every_image(cell):
    probes = images()
    network = CellNetwork(cell, SIZES, 3)
    with torch.no_grad():
        maps = network.cells(network.stem(probes.further))
    x = F.adaptive_avg_pool2d(maps, 2).flatten(1).double().numpy()
    share = left_out(x, probes.further_labels.numpy())
    assert measured(cell)["readout"] == pytest.approx(share)
    assert share > 0.3


def test_a_seed_gives_the_same_figures_and_leaves_torch_as_it_was(cell):
    assert torch.backends.mkldnn.enabled
    before = torch.get_rng_state()
    first = measured(cell)
    torch.rand(5)
    state = torch.get_rng_state()
    assert measured(cell) == first
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.backends.mkldnn.enabled
    assert not torch.equal(before, state)
    assert measured(cell, seed=4) != first


def test_every_seed_has_figures_of_its_own_whatever_was_drawn_before(cell):
    first, second = measure_cell(cell, images(), SIZES, [3, 4])
    assert first == list(measured(cell).values())
    assert second != first
    assert measure_cell(cell, images(), SIZES, [5, 6, 4])[2] == second
    # Not the very weights of a network that is built with the seed, but of their distribution.
    (built,) = measure_cell(cell, images(), SIZES, [4])
    assert built != second


def test_a_network_that_is_drawn_again_is_as_a_new_one(cell):
    network = CellNetwork(cell, SIZES, 3).eval()
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.fill_(7)
    torch.manual_seed(3)
    network.redraw()
    assert network.training
    torch.manual_seed(3)
    new = CellNetwork(cell, SIZES)
    torch.manual_seed(3)
    new.redraw()
    untouched = CellNetwork(cell, SIZES, 5).state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, new.state_dict()[name])
        # What is not drawn is as in any new network; what is drawn differs.
        drawn = tensor.ndim > 1
        assert torch.equal(tensor, untouched[name]) != drawn
        if drawn:
            assert tensor.std() == pytest.approx(float(untouched[name].std()), rel=0.5)


@settings(max_examples=40)
@given(st.tuples(*[st.integers(0, 4)] * 6))
def test_figures_are_finite_of_any_cell_of_nasbench201(ops):
    assert all(map(math.isfinite, measured(of_edges(ops)).values()))


@pytest.mark.parametrize("kind", ["constant", "none"])
def test_a_network_that_passes_nothing_on_has_finite_figures(kind):
    # By a constant image no two images differ, nor do gradients.
    cell, probes = of_edges((0,) * 6), images()
    if kind == "constant":
        cell = diamond()
        probes = probes._replace(images=torch.zeros_like(probes.images))
    figures = measured(cell, probes)
    assert all(map(math.isfinite, figures.values()))
    assert figures["map_rank"] == pytest.approx(1)
    if kind == "none":
        assert figures["feature_norm"] == figures["synflow"] == pytest.approx(math.log(1e-8))
        assert figures["relu_activity"] == 0
        assert figures["feature_correlation"] == 0


def own_space(*objects: str) -> CellSpace:
    modules = tuple(f"function_ops:{each}" for each in objects)
    names = tuple(each.lower() for each in objects)
    return CellSpace("own", names, (1.0,) * len(names), 5, 6, modules=modules)


@pytest.fixture
def own_module(monkeypatch, tmp_path):
    write_module(monkeypatch, tmp_path, "function_ops", MODULE)


@pytest.mark.parametrize("name", ["Once", "Mixing", "dropping"])
def test_ops_of_ones_own_need_no_more_than_a_gradient(own_module, name):
    cell = diamond(own_space(name), (0, 0, 0))
    figures = measured(cell)
    assert all(map(math.isfinite, figures.values()))
    # What is drawn in a pass is decided by the seed.
    torch.rand(7)
    assert measured(cell) == figures


def test_ops_of_ones_own_begin_by_their_constructors_with_every_seed(own_module):
    cell = diamond(own_space("Beginning"), (0, 0, 0))
    both = measure_cell(cell, images(), SIZES, [3, 4])
    assert both == [list(measured(cell, seed=seed).values()) for seed in (3, 4)]


# One with every op, a leaf that skips, and trees of all depths.
GRAPH_CELLS = [
    "gat~0 gcn~1 gin~2 cheb~3",
    "sage~0 arma~0 graph~0 fc~0",
    "gcn~0 gcn~1 skip~1 fc~0",
    *(f"skip~0 skip~1 skip~2 {op}~3" for op in NASBENCH_GRAPH.ops if op != "skip"),
]


def of_graph(text: str, probes: Probes | None = None) -> dict:
    return dict(zip(STATISTICS, graph_values(from_text(text), probes), strict=True))


def graph_values(cell: PackedCells, probes: Probes | None = None) -> list[float]:
    probes = probes or open_probes("graph")
    sizes = NetworkConfig(stem_channels=8, in_channels=16, classes=4)
    (values,) = measure_cell(cell, probes, sizes, [3])
    return values


@pytest.mark.parametrize("text", GRAPH_CELLS)
def test_figures_are_finite_of_networks_of_a_graph(text):
    figures = of_graph(text)
    assert all(map(math.isfinite, figures.values()))
    # Classes are told from their features, by layers that look at neighbours even more.
    assert figures["readout"] > 0.4
    assert 0.2 < figures["relu_activity"] < 0.8


@pytest.mark.parametrize("text", GRAPH_CELLS)
def test_figures_are_finite_without_any_edge(text):
    probes = open_probes("graph")._replace(edges=torch.empty(2, 0, dtype=torch.long))
    assert all(map(math.isfinite, of_graph(text, probes).values()))


def test_figures_of_nodes_are_those_of_every_node_on_its_own():
    text, probes = "gcn~0 gat~1 fc~1 skip~1", open_probes("graph")
    torch.manual_seed(3)
    sizes = NetworkConfig(stem_channels=8, in_channels=16, classes=4)
    network = GraphNetwork(from_text(text), sizes, probes.edges)
    x = probes.images.clone().requires_grad_()
    nodes = network.cells(network.stem(x))
    logits = network.classifier(nodes)
    F.cross_entropy(logits, probes.labels).backward()
    figures = of_graph(text)
    rows = nodes.detach().double().numpy()
    norms = [math.sqrt(sum(value * value for value in row)) for row in rows]
    assert figures["feature_norm"] == pytest.approx(math.log(np.mean(norms)), abs=1e-4)
    told = np.corrcoef(rows)
    assert figures["map_rank"] == pytest.approx(effective_rank(told), abs=1e-2)
    norm = np.mean([np.linalg.norm(row) for row in x.grad.numpy()])
    assert figures["jacobian_norm"] == pytest.approx(math.log(norm), abs=1e-3)
    flow = sum(float((p.grad * p.detach()).abs().sum()) for p in network.parameters())
    assert figures["snip"] == pytest.approx(math.log(flow), abs=1e-4)


def test_the_readout_of_nodes_fits_anew_without_every_node():
    text, probes = "gcn~0 gat~1 fc~1 skip~1", open_probes("graph")
    torch.manual_seed(3)
    sizes = NetworkConfig(stem_channels=8, in_channels=16, classes=4)
    network = GraphNetwork(from_text(text), sizes, probes.edges)
    with torch.no_grad():
        x = network.cells(network.stem(probes.images)).double().numpy()
    assert of_graph(text)["readout"] == pytest.approx(left_out(x, probes.labels.numpy()))


def test_cells_that_compute_the_same_have_the_same_figures():
    # Of two orders of equal parts, as long as nothing but the order of drawn weights differs.
    cells, valid = prune(from_links([(0, 0, 0, 0)] * 2, [(8, 1, 8, 8), (8, 8, 8, 1)]))
    assert valid.all()
    assert graph_values(cells[:1]) == graph_values(cells[1:])
