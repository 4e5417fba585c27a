"""A controller that was pretrained to tell one function is taught another."""

import pytest
import torch
from sklearn.linear_model import Ridge

from gnn_nas.config import GINConfig, ModelConfig
from gnn_nas.function import teaching as module
from gnn_nas.function.teaching import ridge, teach
from gnn_nas.models.controller import Controller
from gnn_nas.spaces.descriptors import num_descriptors, open_descriptors
from gnn_nas.spaces.index import open_index
from gnn_nas.spaces.space import CellSpace

CHAIN = CellSpace.wired("chain", ("a", "b", "c"), (0.0, 1.0, 2.0), [(i, i + 1) for i in range(6)])
LARGE = CellSpace("taught-large", ("a", "b", "c", "d"), (1.0, 1.0, 0.0, 0.0), 8, 12)
SIZES = ModelConfig(
    encoder=GINConfig(hidden=16, layers=2), embedding=8, decoder_hidden=8, predictor_hidden=64
)


class Sums:
    """Tells two statistics: sums of all descriptors and of the first ten, in half precision."""

    statistics = ("snip", "synflow")

    def __call__(self, descriptors):
        known = descriptors.float()
        return torch.stack([known.sum(1) / 20, known[:, :10].sum(1) / 5], dim=1).half()


def controller(space: CellSpace) -> Controller:
    return Controller(SIZES, 1, space, ("snip", "synflow")).eval()


def test_it_is_ridge_regression():
    generator = torch.Generator().manual_seed(0)
    inputs, values = torch.randn(50, 9, generator=generator).split([7, 2], dim=1)
    weights, intercept = ridge(inputs, values)
    wanted = Ridge(alpha=1e-3).fit(inputs.double().numpy(), values.double().numpy())
    torch.testing.assert_close(weights, torch.from_numpy(wanted.coef_).T.contiguous())
    torch.testing.assert_close(intercept, torch.from_numpy(wanted.intercept_))


def test_what_is_told_is_the_other_function_and_all_else_is_as_it_was():
    taught, before = controller(CHAIN), controller(CHAIN).state_dict()
    torch.manual_seed(0)
    state = torch.get_rng_state()
    teach(taught, Sums())
    assert torch.equal(torch.get_rng_state(), state)
    index = open_index(CHAIN)
    rows = torch.arange(len(index))
    wanted = Sums()(open_descriptors(index)(index, rows)).float()
    error = (taught.tell_function(index) - wanted).square().mean(0) / wanted.var(0)
    # Of random layers: what a pretrained one has learnt is told better.
    assert error.max() < 0.1
    columns = sum(num_descriptors(CHAIN))
    for name, value in taught.state_dict().items():
        same = value == before[name]
        if name.startswith("predictor.structure.2"):
            assert same[:columns].all()
            assert not same[columns:].any()
        else:
            assert same.all()
    # It can be climbed as before.
    embeddings = taught.encode_rows(index, rows[:3]).requires_grad_()
    taught.predictor.predict_descriptors(embeddings)[:, columns:].sum().backward()
    assert (embeddings.grad != 0).any()


@pytest.mark.slow
def test_the_same_is_taught_every_time_in_spaces_without_a_table_too(monkeypatch):
    monkeypatch.setattr(module, "_CELLS", 300)
    told = []
    for _ in range(2):
        taught = controller(LARGE)
        teach(taught, Sums())
        told.append(taught.predictor.structure[-1].weight)
    assert torch.equal(*told)
    index = open_index(LARGE)
    # The very cells that it was taught.
    rows = index.draw(300, torch.Generator().manual_seed(0))
    wanted = Sums()(open_descriptors(index)(index, rows)).float()
    error = (taught.tell_function(index, rows) - wanted).square().mean(0) / wanted.var(0)
    assert error.max() < 1
