"""The networks of NAS-Bench-Graph's cells: their ops, what feeds what, and official sizes."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gnn_nas.benchmarks.nasbench_graph import LINKS
from gnn_nas.spaces.nasbench_graph import NASBENCH_GRAPH, from_links, from_text
from gnn_nas.spaces.pruning import prune
from gnn_nas.tasks.graph_network import GraphNetwork
from gnn_nas.tasks.network_size import NetworkConfig

# A path of four nodes, and one that has no neighbour.
EDGES = torch.tensor([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]])
NODES = 5
# Parameters that an op in place of gcn adds, at 128 channels: differences between official figures
# of data set arxiv, of `skip~0 skip~1 gcn~2 OP~3`.
OFFICIAL = {
    "gat": 256,
    "gin": 0,
    "cheb": 16_384,
    "sage": 16_384,
    "arma": 32_768,
    "graph": 16_384,
    "fc": 0,
}


def network(text: str, channels: int = 8, seed: int = 0) -> GraphNetwork:
    torch.manual_seed(seed)
    sizes = NetworkConfig(stem_channels=channels, in_channels=3, classes=4)
    return GraphNetwork(from_text(text), sizes, EDGES)


def features() -> torch.Tensor:
    return torch.randn(NODES, 3, generator=torch.Generator().manual_seed(1))


def num_parameters(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


@pytest.mark.parametrize("op", OFFICIAL)
def test_ops_have_the_official_numbers_of_parameters(op):
    found = num_parameters(network(f"skip~0 skip~1 gcn~2 {op}~3", 128))
    without = num_parameters(network("skip~0 skip~1 gcn~2 gcn~3", 128))
    assert found - without == OFFICIAL[op]


@pytest.mark.parametrize("op", NASBENCH_GRAPH.ops[:-1])
def test_all_nodes_have_logits_and_all_parameters_gradients(op):
    model = network(f"skip~0 {op}~1 {op}~2 fc~1")
    logits = model(features())
    assert logits.shape == (NODES, 4)
    logits.square().sum().backward()
    without = [name for name, each in model.named_parameters() if each.grad is None]
    # Of the weights between the layers of ARMA's stacks, which has one layer here.
    assert without == [f"cells.operations.{n}.layer.weight" for n in (1, 2) if op == "arma"]
    found = [each.grad for each in model.parameters() if each.grad is not None]
    assert all(each.isfinite().all() for each in found)
    # That of the lonely node is told from its own features: what another has does not reach it.
    model.eval()
    others = features()
    others[0] += 1
    moved = (model(others) - model(features())).abs().sum(1) > 0
    assert moved[0]
    assert not moved[4]
    # Two layers see two edges far, and one of ChebNet's second order likewise.
    assert moved[1] == (op != "fc")


@pytest.mark.parametrize("number", range(9))
def test_cells_of_every_official_tree_read_what_their_keys_say(number):
    links, ops = LINKS[number], (7, 1, 7, 7)
    cell, valid = prune(from_links([links], [ops]))
    assert valid
    torch.manual_seed(0)
    sizes = NetworkConfig(stem_channels=8, in_channels=3, classes=4)
    model = GraphNetwork(cell, sizes, EDGES).eval()
    with torch.no_grad():
        values = [model.stem(features())]
        for operation, source in zip(model.cells.operations, links, strict=True):
            read = F.relu(F.batch_norm(values[source], torch.zeros(8), torch.ones(8)))
            is_dense = isinstance(operation.layer, nn.Linear)
            values.append(operation.layer(read) if is_dense else operation.layer(read, EDGES))
        leaves = [values[op] for op in range(1, 5) if op not in links]
        by_hand = model.classifier(F.relu(torch.cat(leaves, 1)))
        assert torch.allclose(model(features()), by_hand, atol=1e-5)


def test_skips_before_the_ops_are_as_if_they_were_not_there():
    model = network("skip~0 skip~1 skip~2 gcn~3")
    assert num_parameters(model) == (3 + 1) * 8 + 2 * 8 + (8 + 1) * 8 + (8 + 1) * 4
    assert model.cells.leaves == [4]
    assert network("gcn~0 gcn~0 fc~1 skip~1").cells.leaves == [2, 3, 4]


def test_a_network_that_is_drawn_again_is_as_a_new_one():
    text = "gat~0 gin~1 arma~1 cheb~3"
    model, new = network(text, seed=1).eval(), network(text, seed=2)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            tensor.fill_(1)
    for each in (model, new):
        torch.manual_seed(3)
        each.redraw()
    assert model.training
    for name, tensor in model.state_dict().items():
        # The edges of the graph are not drawn.
        if name != "cells.edges":
            assert torch.equal(tensor, new.state_dict()[name])
    built = network(text, seed=4).state_dict()
    for name, parameter in model.named_parameters():
        weights, spread = parameter.detach(), float(built[name].std())
        # Of a row there are too few to say; a bias may begin with zeros.
        if weights.ndim > 1 and spread:
            assert not torch.equal(weights, built[name])
            assert weights.std() == pytest.approx(spread, rel=0.5)
