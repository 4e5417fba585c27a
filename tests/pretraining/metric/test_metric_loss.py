"""Building a metric loss from a config, and what it reports."""

import pytest
import torch
from pytorch_metric_learning import losses
from torch.nn.functional import normalize

from gnn_nas.pretraining.metric import MetricLoss, make_metric_loss

LABELS = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2])


def embeddings(seed: int = 0) -> torch.Tensor:
    return normalize(torch.randn(8, 5, generator=torch.Generator().manual_seed(seed)), dim=1)


def test_arguments_reach_the_loss_and_the_miner():
    made = make_metric_loss(
        "MultiSimilarityLoss", {"alpha": 3, "base": 0.7}, "AngularMiner", {"angle": 33}
    )
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
        (("AngularLoss", {}, None, {"angle": 20}), "{'angle': 20} but no miner"),
        (("MarginLoss", {"num_classes": 3}, None, {}), "num_classes cannot be given"),
    ],
)
def test_what_is_not_allowed_is_named_with_what_is(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_metric_loss(*arguments)


def test_shapes_are_checked():
    made = make_metric_loss("NPairsLoss", {}, None, {})
    with pytest.raises(ValueError, match=r"not \(8, 5\) and \(3,\)"):
        made(embeddings(), LABELS[:3])


def test_mined_triplets_are_counted():
    mine = make_metric_loss("TripletMarginLoss", {}, "TripletMarginMiner", {"margin": 4}).miner
    assert mine(embeddings(), LABELS).count == 6 * 2 * 5 + 2 * 1 * 6
    assert mine(embeddings(), torch.arange(8)).count == 0


@pytest.mark.parametrize("name", ["ContrastiveLoss", "MultiSimilarityLoss", "TripletMarginLoss"])
def test_without_a_miner_it_is_the_library_on_the_whole_batch(name):
    made = make_metric_loss(name, {}, None, {})
    expected = getattr(losses, name)()(embeddings(), LABELS)
    assert expected > 0
    assert made(embeddings(), LABELS) == expected


def test_a_step_repeats_bit_by_bit_and_leaves_the_random_state_alone():
    made = make_metric_loss("MultiSimilarityLoss", {}, "AngularMiner", {})
    state = torch.get_rng_state()
    gradients = []
    for _ in range(2):
        leaf = embeddings().requires_grad_()
        made(leaf, LABELS).backward()
        gradients.append(leaf.grad)
    assert gradients[0].any()
    assert torch.equal(*gradients)
    assert torch.equal(torch.get_rng_state(), state)
