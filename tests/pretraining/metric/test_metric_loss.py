"""Building a metric loss from a config, and what it reports."""

import sys
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from pytorch_metric_learning import losses, miners
from torch.nn.functional import normalize

from gnn_nas.config import MetricConfig
from gnn_nas.errors import UserError
from gnn_nas.pretraining.metric.metric_loss import MetricLoss, make_metric_loss

LABELS = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2])


def make(loss: str, loss_args: Mapping[str, Any], miner: str | None, miner_args: Mapping[str, Any]):
    """Build a metric loss from what a config says."""
    return make_metric_loss(
        MetricConfig(loss=loss, loss_args=loss_args, miner=miner, miner_args=miner_args, weight=1.0)
    )


def embeddings(seed: int = 0) -> torch.Tensor:
    return normalize(torch.randn(8, 5, generator=torch.Generator().manual_seed(seed)), dim=1)


def test_arguments_reach_the_loss_and_the_miner():
    made = make("MultiSimilarityLoss", {"alpha": 3, "base": 0.7}, "AngularMiner", {"angle": 33})
    assert isinstance(made, MetricLoss)
    library = made.loss.library
    assert (library.alpha, library.beta, library.base) == (3, 50, 0.7)
    assert made.miner.angle == 33


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("Multisimilarity", {}, None, {}), "metric loss 'Multisimilarity'; choose .*NPairsLoss"),
        (("ArcFaceLoss", {}, None, {}), "Unknown metric loss 'ArcFaceLoss'"),
        (("GenericPairLoss", {}, None, {}), "Unknown metric loss"),
        (("BaseMetricLossFunction", {}, None, {}), "Unknown metric loss"),
        (
            ("NPairsLoss", {}, "HardMiner", {}),
            "miner 'HardMiner'; choose one of AngularMiner, TripletMarginMiner",
        ),
        (("NPairsLoss", {"alpha": 1}, None, {}), "no argument 'alpha'; it accepts no arguments"),
        (
            ("AngularLoss", {"angle": 45}, None, {}),
            "AngularLoss has no argument 'angle'; it accepts alpha",
        ),
        (("AngularLoss", {"alpha": "1e-3"}, None, {}), "alpha must be a number, not '1e-3'"),
        (("AngularLoss", {"alpha": True}, None, {}), "alpha must be a number, not True"),
        (
            ("AngularLoss", {}, "TripletMarginMiner", {"angle": 1}),
            "TripletMarginMiner has no argument 'angle'; it accepts margin, type_of_triplets",
        ),
        (("AngularLoss", {}, "AngularMiner", {"angle": 0}), "between 0 and 90"),
        (("AngularLoss", {}, None, {"angle": 20}), "miner_args are given, but miner is null"),
        (("MarginLoss", {"num_classes": 3}, None, {}), "num_classes cannot be given"),
    ],
)
def test_what_is_not_allowed_is_named_with_what_is(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(*arguments)


def test_shapes_are_checked():
    made = make("NPairsLoss", {}, None, {})
    with pytest.raises(ValueError, match=r"not \(8, 5\) and \(3,\)"):
        made(embeddings(), LABELS[:3])


def test_mined_triplets_are_counted():
    mine = make("TripletMarginLoss", {}, "TripletMarginMiner", {"margin": 4}).miner
    assert mine(embeddings(), LABELS).count == 6 * 2 * 5 + 2 * 1 * 6
    assert mine(embeddings(), torch.arange(8)).count == 0


@pytest.mark.parametrize("name", ["ContrastiveLoss", "MultiSimilarityLoss", "TripletMarginLoss"])
def test_without_a_miner_it_is_the_library_on_the_whole_batch(name):
    made = make(name, {}, None, {})
    expected = getattr(losses, name)()(embeddings(), LABELS)
    assert expected > 0
    assert made(embeddings(), LABELS) == expected


def test_a_step_repeats_bit_by_bit_and_leaves_the_random_state_alone():
    made = make("MultiSimilarityLoss", {}, "AngularMiner", {})
    state = torch.get_rng_state()
    gradients = []
    for _ in range(2):
        leaf = embeddings().requires_grad_()
        made(leaf, LABELS).backward()
        gradients.append(leaf.grad)
    assert gradients[0].any()
    assert torch.equal(*gradients)
    assert torch.equal(torch.get_rng_state(), state)


OWN = """
import torch
from pytorch_metric_learning import losses, miners

class Scaled(torch.nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.tensor(float(scale)))
        self.loss = losses.TripletMarginLoss()
    def forward(self, embeddings, labels, indices=None):
        return self.scale * self.loss(embeddings, labels, indices)

whole = Scaled(3)
miner = miners.TripletMarginMiner(margin=0.3)

def first_triplet(embeddings, labels):
    return torch.tensor([0]), torch.tensor([1]), torch.tensor([3])

def make_miner():
    return first_triplet

def fails(scale):
    raise RuntimeError("no such scale")

number = 3
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "own_metric.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("own_metric", None)


@pytest.mark.parametrize("name", ["AngularMiner", "TripletMarginMiner", None])
def test_a_loss_of_ones_own_is_the_library_s_on_what_is_mined(own, name):
    mine = make("own_metric:Scaled", {"scale": 2}, name, {})
    library = make("pytorch_metric_learning.losses:TripletMarginLoss", {}, name, {})
    ours = make("TripletMarginLoss", {}, name, {})
    expected = ours(embeddings(), LABELS)
    assert expected > 0
    torch.testing.assert_close(library(embeddings(), LABELS), expected)
    torch.testing.assert_close(mine(embeddings(), LABELS), 2 * expected)
    assert [name for name, _ in mine.named_parameters()] == ["loss.library.scale"]


@pytest.mark.parametrize("loss", ["MultiSimilarityLoss", "TripletMarginLoss", "own_metric:whole"])
def test_a_miner_of_ones_own_gives_indices_to_any_loss(own, loss):
    indices = miners.TripletMarginMiner(margin=0.3)(embeddings(), LABELS)
    expected = make(loss, {}, None, {}).loss.library(embeddings(), LABELS, indices)
    for miner, args in (
        ("own_metric:miner", {}),
        ("pytorch_metric_learning.miners:TripletMarginMiner", {"margin": 0.3}),
    ):
        made = make(loss, {}, miner, args)
        torch.testing.assert_close(made(embeddings(), LABELS), expected)
    one = make("TripletMarginLoss", {"margin": 4}, "own_metric:make_miner", {})
    positive, negative = (embeddings()[0] - embeddings()[[1, 3]]).norm(dim=1)
    torch.testing.assert_close(one(embeddings(), LABELS), positive - negative + 4)


def test_an_object_of_ones_own_is_copied(own):
    first, second = (make("own_metric:whole", {}, None, {}) for _ in range(2))
    first.loss.library.scale.data.fill_(7)
    assert second.loss.library.scale == sys.modules["own_metric"].whole.scale == 3


@pytest.mark.parametrize(
    ("loss", "args", "sentence"),
    [
        ("own_metric:whole", {"scale": 2}, "is an object, which takes no arguments: remove them"),
        ("own_metric:number", {}, "is no metric loss: it cannot be called"),
        ("own_metric:fails", {"scale": 2}, "cannot be made: RuntimeError: .*own_metric.py, line "),
        ("own_metric:Scaled", {}, "cannot be made: TypeError: .*'scale'$"),
        ("own_metric:absent", {}, "the module has no absent"),
        ("absent_module:x", {}, "cannot import absent_module: ModuleNotFoundError"),
    ],
)
def test_what_is_wrong_with_ones_own_is_one_line(own, loss, args, sentence):
    with pytest.raises(UserError, match=rf"\Ametric.loss {loss}[^\n]*{sentence}[^\n]*\Z"):
        make(loss, args, None, {})
