"""Every loss against the library and against its formula in plain loops.

A new loss is a subclass of `LossCase` with its name, its arguments and, if it has a formula worth
spelling out, `formula`.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pytorch_metric_learning import losses, miners
from torch.nn.functional import normalize

from gnn_nas.config import MetricConfig
from gnn_nas.pretraining.metric.losses import ROUTES, log_one_plus_sum_exp
from gnn_nas.pretraining.metric.metric_loss import make_metric_loss

MINERS = {
    "AngularMiner": {"angle": 20},
    "TripletMarginMiner": {"margin": 0.2, "type_of_triplets": "semihard"},
}


def make(loss: str, loss_args: Mapping[str, Any], miner: str | None, miner_args: Mapping[str, Any]):
    """Build a metric loss from what a config says."""
    return make_metric_loss(
        MetricConfig(loss=loss, loss_args=loss_args, miner=miner, miner_args=miner_args, weight=1.0)
    )


def draw(labels: list[int], size: int, spread: float, seed: int) -> tuple:
    """Draw unit embeddings scattered around one direction per label."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor(labels)
    centres = normalize(torch.randn(int(labels.max()) + 1, size, generator=generator), dim=1)
    noise = torch.randn(len(labels), size, generator=generator)
    return normalize(centres[labels] + spread * size**-0.5 * noise, dim=1), labels


def distance(x, y):
    return math.dist(x, y)


def dot(x, y):
    return sum(i * j for i, j in zip(x, y, strict=True))


def mean(values):
    return sum(values) / max(1, len(values))


class LossCase:
    """The tests of one loss; a subclass says which."""

    name: ClassVar[str]
    args: ClassVar[Mapping[str, Any]] = {}

    def formula(self, x: list, labels: list[int], triplets: list) -> float | None:
        """Compute the loss in plain loops over x, a list of vectors, and mined triplets."""

    def check(self, embeddings, labels, miner: str, args: Mapping[str, Any]) -> int:
        """Compare with the library's miner and loss; return the number of triplets."""
        mine = getattr(miners, miner)(**args)
        loss = getattr(losses, self.name)(**self.args)
        theirs, ours = embeddings.clone().requires_grad_(), embeddings.clone().requires_grad_()
        indices = mine(theirs, labels)
        expected = loss(theirs, labels, indices)
        made = make(self.name, self.args, miner, args)
        value = made(ours, labels)
        assert value.shape == ()
        assert made.miner(ours.detach(), labels).count == len(indices[0])
        torch.testing.assert_close(value, expected.squeeze(), rtol=1e-6, atol=1e-6)

        expected.sum().backward()
        value.backward()
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-5, atol=3e-6)

        triplets = torch.stack(indices, 1).tolist()
        naive = self.formula(embeddings.double().tolist(), labels.tolist(), triplets)
        if naive is not None:
            assert value.item() == pytest.approx(naive, rel=2e-6, abs=2e-6)
        return len(triplets)

    @pytest.mark.parametrize("miner", MINERS)
    @settings(derandomize=True, deadline=None, max_examples=40)
    @given(
        sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6),
        size=st.integers(2, 12),
        spread=st.floats(0.2, 4),
        seed=st.integers(0, 10**6),
    )
    def test_equals_the_library_for_any_labels(self, miner, sizes, size, spread, seed):
        labels = [label for label, count in enumerate(sizes) for _ in range(count)]
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
        embeddings, labels = draw([labels[i] for i in order], size, spread, seed)
        assume(_is_clear_cut(embeddings, labels))
        self.check(embeddings, labels, miner, MINERS[miner])

    @pytest.mark.parametrize("miner", MINERS)
    def test_equals_the_library_on_a_larger_batch(self, miner):
        embeddings, labels = draw([i // 4 for i in range(28)], 16, 1.5, 3)
        assert self.check(embeddings, labels, miner, MINERS[miner]) > 100

    @pytest.mark.parametrize("miner", [*MINERS, None])
    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_gives_what_float32_gives(self, miner, dtype):
        """With a miner on a batch whose counts of triplets alone exceed the range of float16."""
        embeddings, labels = draw([i // 8 for i in range(128 if miner else 24)], 8, 1.5, 3)
        half = embeddings.to(dtype).requires_grad_()
        full = half.detach().float().requires_grad_()
        made = make(self.name, self.args, miner, MINERS.get(miner, {}))
        values = made(half, labels), made(full, labels)
        assert torch.equal(*values)
        assert values[0] > 0
        for value in values:
            value.backward()
        assert half.grad.isfinite().all()
        assert full.grad.any()
        assert torch.equal(half.grad, full.grad.to(dtype))

    @pytest.mark.parametrize("miner", MINERS)
    @pytest.mark.parametrize("labels", [[0], [0, 1, 2], [5, 5, 5, 5]])
    def test_no_triplet_gives_zero_and_no_gradient(self, miner, labels):
        embeddings, labels = draw(labels, 6, 1.0, 0)
        assert self.check(embeddings, labels, miner, MINERS[miner]) == 0
        leaf = embeddings.requires_grad_()
        value = make(self.name, self.args, miner, MINERS[miner])(leaf, labels)
        value.backward()
        assert value == 0
        assert not leaf.grad.any()

    def test_one_triplet_equals_the_library(self):
        # From 0 the negative is 0.19 farther than the positive; from 1 it is 0.83 farther.
        angles = torch.tensor([0.0, 55.0, -68.0]).deg2rad()
        embeddings = torch.stack([angles.cos(), angles.sin()], 1)
        labels = torch.tensor([4, 4, 7])
        assert self.check(embeddings, labels, "TripletMarginMiner", {"margin": 0.2}) == 1

    @pytest.mark.parametrize("miner", MINERS)
    def test_isomorphic_duplicates_equal_the_library(self, miner):
        embeddings, _ = draw([0, 1, 2, 3], 6, 1.0, 5)
        embeddings = embeddings[[0, 0, 1, 0, 0, 2, 1, 2, 3]]
        labels = torch.tensor([0, 0, 0, 1, 1, 1, 2, 3, 3])
        self.check(embeddings, labels, miner, MINERS[miner])
        self.check(embeddings, labels, "TripletMarginMiner", {"type_of_triplets": "all"})


def _is_clear_cut(embeddings, labels) -> bool:
    """Tell whether no triplet is so near a threshold that rounding decides about it."""
    a, p, n = miners.TripletMarginMiner(margin=9)(embeddings, labels)
    a, p, n = embeddings.double()[a], embeddings.double()[p], embeddings.double()[n]
    angle = ((a - p).norm(dim=1) / (n - (a + p) / 2).norm(dim=1) / 2).atan().rad2deg()
    gap = (a - n).norm(dim=1) - (a - p).norm(dim=1)
    edges = torch.cat([gap, gap - 0.1, gap - 0.2])
    return bool(((angle - 20).abs() > 1e-2).all() and (edges.abs() > 1e-6).all())


class TestAngular(LossCase):
    name = "AngularLoss"
    args: ClassVar = {"alpha": 45}

    def formula(self, x, labels, triplets):
        square = math.tan(math.radians(45)) ** 2
        terms = []
        for a, p, _ in triplets:
            total = 1.0
            for n, label in enumerate(labels):
                if label != labels[a]:
                    towards = dot(x[a], x[n]) + dot(x[p], x[n])
                    total += math.exp(4 * square * towards - 2 * (1 + square) * dot(x[a], x[p]))
            terms.append(math.log(total))
        return mean(terms)


class TestContrastive(LossCase):
    name = "ContrastiveLoss"
    args: ClassVar = {"pos_margin": 0, "neg_margin": 1}

    def formula(self, x, labels, triplets):
        if len(triplets) < 2:
            return 0
        far = [distance(x[a], x[p]) for a, p, _ in triplets]
        close = [1 - distance(x[a], x[n]) for a, _, n in triplets]
        return mean([v for v in far if v > 0]) + mean([v for v in close if v > 0])


class TestContrastiveWithMargins(LossCase):
    name = "ContrastiveLoss"
    args: ClassVar = {"pos_margin": 0.5, "neg_margin": 0.8}


class TestGeneralizedLifted(LossCase):
    name = "GeneralizedLiftedStructureLoss"
    args: ClassVar = {"neg_margin": 1, "pos_margin": 0}

    def formula(self, x, labels, triplets):
        if len(triplets) < 2:
            return 0
        terms = []
        for i in range(len(x)):
            pull = sum(
                math.exp(distance(x[i], x[p])) for p in {p for a, p, _ in triplets if a == i}
            )
            push = sum(
                math.exp(1 - distance(x[i], x[n])) for n in {n for a, _, n in triplets if a == i}
            )
            terms.append(max(0, math.log(pull) + math.log(push)) if pull else 0)
        return mean(terms)


class TestLifted(LossCase):
    name = "LiftedStructureLoss"
    args: ClassVar = {"neg_margin": 1, "pos_margin": 0}

    def formula(self, x, labels, triplets):
        if len(triplets) < 2:
            return 0
        terms = []
        for a, p, _ in triplets:
            push = sum(math.exp(1 - distance(x[i], x[n])) for i, _, n in triplets if i in (a, p))
            terms.append(max(0, math.log(push) + distance(x[a], x[p])) ** 2 / 2)
        return mean(terms)


class TestLiftedWithMargins(LossCase):
    name = "LiftedStructureLoss"
    args: ClassVar = {"neg_margin": 0.3, "pos_margin": 0.4}


class TestMargin(LossCase):
    name = "MarginLoss"
    args: ClassVar = {"margin": 0.2, "nu": 0, "beta": 1.2, "triplets_per_anchor": "all"}

    def formula(self, x, labels, triplets):
        terms = [distance(x[a], x[p]) - 1.2 + 0.2 for a, p, _ in triplets]
        terms += [1.2 - distance(x[a], x[n]) + 0.2 for a, _, n in triplets]
        return mean([v for v in terms if v > 0])


class TestMarginWithLearntBeta(LossCase):
    name = "MarginLoss"
    args: ClassVar = {"beta": 0.9, "nu": 0.3, "learn_beta": True}


class TestMultiSimilarity(LossCase):
    name = "MultiSimilarityLoss"
    args: ClassVar = {"alpha": 2, "beta": 30, "base": 1}

    def formula(self, x, labels, triplets):
        if len(triplets) < 2:
            return 0
        terms = []
        for i in range(len(x)):
            pull = {p for a, p, _ in triplets if a == i}
            push = {n for a, _, n in triplets if a == i}
            terms.append(
                math.log(1 + sum(math.exp(2 * (1 - dot(x[i], x[p]))) for p in pull)) / 2
                + math.log(1 + sum(math.exp(30 * (dot(x[i], x[n]) - 1)) for n in push)) / 30
            )
        return mean(terms)


class TestMultiSimilarityWithLargeExponents(LossCase):
    name = "MultiSimilarityLoss"
    args: ClassVar = {"alpha": 90, "beta": 400, "base": 0}


class TestNPairs(LossCase):
    name = "NPairsLoss"

    def formula(self, x, labels, triplets):
        first = {}
        for a, p, _ in sorted(triplets):
            first.setdefault(labels[a], (x[a], x[p]))
        pairs = list(first.values())
        terms = []
        for anchor, positive in pairs:
            total = sum(math.exp(dot(anchor, other)) for _, other in pairs)
            terms.append(math.log(total) - dot(anchor, positive))
        return mean(terms)


class TestTripletMargin(LossCase):
    name = "TripletMarginLoss"
    args: ClassVar = {"margin": 0.1}

    def formula(self, x, labels, triplets):
        terms = [distance(x[a], x[p]) - distance(x[a], x[n]) + 0.1 for a, p, n in triplets]
        return mean([v for v in terms if v > 0])


class TestTripletMarginSwap(LossCase):
    name = "TripletMarginLoss"
    args: ClassVar = {"margin": 0.2, "swap": True}


class TestTripletMarginSmooth(LossCase):
    name = "TripletMarginLoss"
    args: ClassVar = {"margin": 0.2, "smooth_loss": True}


class TestLossWithoutShortCut(LossCase):
    name = "CircleLoss"
    args: ClassVar = {"m": 0.4, "gamma": 10}


def test_every_short_cut_has_a_case():
    assert {case.name for case in LossCase.__subclasses__()} >= ROUTES.keys()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_what_is_left_out_of_a_log_sum_exp_is_left_out_in_any_precision(dtype):
    x = torch.tensor([[1.0, -3.0, 9.0], [-200.0, 200.0, 0.5], [4.0, 4.0, 4.0]], dtype=dtype)
    keep = torch.tensor([[True, True, False], [True, False, True], [False, False, False]])
    x.requires_grad_()
    value = log_one_plus_sum_exp(x, keep)
    exact = (1 + (x.detach().double().exp() * keep).sum(1)).log()
    torch.testing.assert_close(value.double(), exact, rtol=1e-2, atol=1e-6)
    value.sum().backward()
    assert x.grad.isfinite().all()
    assert not x.grad[~keep].any()
