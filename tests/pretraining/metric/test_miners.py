"""Miners against the library's, as sets of triplets, and their definitions."""

import math

import pytest
import torch
from pytorch_metric_learning import miners as library
from torch.nn.functional import normalize

from gnn_nas.pretraining.metric.miners import (
    AngularMiner,
    TripletMarginMiner,
    squared_distances,
    unit,
)

TYPES = ["all", "hard", "semihard", "easy"]


def clusters(labels: list[int], spread: float, size: int = 64, seed: int = 0) -> tuple:
    """Draw unit embeddings scattered around one direction per label."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor(labels)
    centres = torch.randn(int(labels.max()) + 1, size, generator=generator)
    noise = torch.randn(len(labels), size, generator=generator)
    return normalize(normalize(centres, dim=1)[labels] + spread * size**-0.5 * noise, dim=1), labels


def as_set(indices: tuple) -> set[tuple[int, int, int]]:
    return set(zip(*(index.tolist() for index in indices), strict=True))


def angle(embeddings, a, p, n) -> float:
    """The angle at n in degrees, in float64."""
    a, p, n = embeddings[[a, p, n]].double()
    return math.degrees(math.atan((a - p).norm() / (2 * (n - (a + p) / 2).norm())))


def gap(embeddings, a, p, n) -> float:
    a, p, n = embeddings[[a, p, n]].double()
    return ((a - n).norm() - (a - p).norm()).item()


LAYOUTS = {
    "eight each": [i // 8 for i in range(96)],
    "shuffled": [(7 * i) % 12 for i in range(96)],
    "uneven": [0] * 40 + [1] * 20 + [2] * 3 + list(range(3, 30)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("degrees", "spread"), [(20, 1.0), (20, 2.0), (35, 4.0), (2, 0.1)])
def test_angular_miner_equals_the_library_but_for_ties(layout, degrees, spread):
    embeddings, labels = clusters(LAYOUTS[layout], spread)
    ours = as_set(AngularMiner(degrees)(embeddings, labels).indices())
    theirs = as_set(library.AngularMiner(degrees)(embeddings, labels))
    assert theirs
    for triplet in ours ^ theirs:
        assert abs(angle(embeddings, *triplet) - degrees) < 0.01
    assert len(ours ^ theirs) <= 1e-4 * len(theirs)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("margin", [0.1, 0.2])
def test_triplet_margin_miner_equals_the_library_but_for_ties(layout, kind, margin):
    embeddings, labels = clusters(LAYOUTS[layout], 2.0)
    ours = as_set(TripletMarginMiner(margin, kind)(embeddings, labels).indices())
    theirs = as_set(library.TripletMarginMiner(margin, kind)(embeddings, labels))
    assert theirs
    for triplet in ours ^ theirs:
        assert min(abs(gap(embeddings, *triplet) - edge) for edge in (0, margin)) < 1e-6
    assert len(ours ^ theirs) <= 1e-4 * len(theirs)


@pytest.mark.parametrize("length", [1e-6, 0.3, 50.0, 1e6])
@pytest.mark.parametrize("kind", TYPES)
def test_triplet_margin_miner_normalises_as_the_library_does(kind, length):
    generator = torch.Generator().manual_seed(3)
    embeddings = length * torch.randn(60, 16, generator=generator)
    embeddings *= 10 ** torch.randn(60, 1, generator=generator)
    labels = torch.randint(12, (60,), generator=generator)
    ours = as_set(TripletMarginMiner(0.2, kind)(embeddings, labels).indices())
    theirs = as_set(library.TripletMarginMiner(0.2, kind)(embeddings, labels))
    assert theirs
    at = normalize(embeddings.double(), dim=1)
    for triplet in ours ^ theirs:
        assert min(abs(gap(at, *triplet) - edge) for edge in (0, 0.2)) < 1e-6
    assert len(ours ^ theirs) <= 1e-3 * len(theirs)


def test_unit_vectors_are_mined_as_they_are():
    """A tie to the last bit, which another division by the norm would break."""
    embeddings, _ = clusters(LAYOUTS["eight each"], 2.0)
    squared = squared_distances(embeddings)
    assert not torch.equal(squared_distances(normalize(embeddings.double(), dim=1)), squared)
    assert torch.equal(squared_distances(unit(embeddings)), squared)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("miner", [AngularMiner(20), TripletMarginMiner(0.2, "semihard")])
def test_half_precision_is_mined_as_float32(miner, dtype):
    embeddings, labels = clusters(LAYOUTS["shuffled"], 2.0)
    embeddings = embeddings.to(dtype)
    mined = miner(embeddings, labels)
    assert mined.count > 100
    assert torch.equal(mined.chosen, miner(embeddings.float(), labels).chosen)


def test_angular_miner_takes_the_angle_at_the_negative():
    # On the unit circle: a and p at ±10 degrees, so |a - p| = 2 sin 10, centre at cos 10.
    def at(degrees: float) -> list[float]:
        return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees))]

    embeddings = torch.tensor([at(-10), at(10), at(40)])
    labels = torch.tensor([3, 3, 5])
    expected = angle(embeddings, 0, 1, 2)
    assert expected == pytest.approx(14.35, abs=0.01)
    below, above = AngularMiner(expected - 0.01), AngularMiner(expected + 0.01)
    assert as_set(below(embeddings, labels).indices()) == {(0, 1, 2), (1, 0, 2)}
    assert above(embeddings, labels).count == 0


@pytest.mark.parametrize("degrees", [20, 26.5, 26.6, 40, 46])
def test_angular_miner_equals_the_library_on_isomorphic_duplicates(degrees):
    embeddings, _ = clusters([0, 1, 2], 1.0)
    # Equal within label 0, across labels 0 and 1, and a = p = n; sample 7 is alone.
    embeddings = embeddings[[0, 0, 1, 0, 0, 2, 1, 2]]
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2, 3])
    ours = as_set(AngularMiner(degrees)(embeddings, labels).indices())
    assert ours == as_set(library.AngularMiner(degrees)(embeddings, labels))
    assert ((0, 1, 3) in ours) == (degrees < math.degrees(math.atan(0.5)))


@pytest.mark.parametrize("kind", TYPES)
def test_triplet_margin_miner_equals_the_library_on_isomorphic_duplicates(kind):
    embeddings, _ = clusters([0, 1, 2], 1.0)
    embeddings = embeddings[[0, 0, 1, 0, 0, 2, 1, 2]]
    labels = torch.tensor([0, 0, 0, 1, 1, 1, 2, 3])
    ours = as_set(TripletMarginMiner(0.1, kind)(embeddings, labels).indices())
    assert ours == as_set(library.TripletMarginMiner(0.1, kind)(embeddings, labels))
    # A negative as far as the positive is a tie: it violates the margin, and is not semihard.
    assert ((0, 1, 3) in ours) == (kind in ("all", "hard"))


@pytest.mark.parametrize("miner", [AngularMiner(), TripletMarginMiner()])
@pytest.mark.parametrize("labels", [[4], [0, 1, 2], [6, 6, 6]])
def test_nothing_is_mined_without_both_a_positive_and_a_negative(miner, labels):
    embeddings, _ = clusters(list(range(len(labels))), 1.0)
    assert miner(embeddings, torch.tensor(labels)).count == 0


def test_close_positives_are_told_apart():
    # Distances of 1e-4: their squares are lost in float32 products of unit vectors.
    embeddings, labels = clusters([0, 0, 0, 0, 1, 1, 1, 1], 1e-4)
    embeddings[4:] = normalize(embeddings[:1] + embeddings[4:] * 1e-4, dim=1)
    ours = as_set(AngularMiner(20)(embeddings, labels).indices())
    exact = {
        (a, p, n)
        for a in range(8)
        for p in range(8)
        for n in range(8)
        if a != p and labels[a] == labels[p] != labels[n] and angle(embeddings, a, p, n) > 20
    }
    assert 0 < len(exact) < 8 * 3 * 4
    assert ours == exact


def test_wrong_values_are_refused():
    with pytest.raises(ValueError, match="angle is 90, must be between 0 and 90"):
        AngularMiner(90)
    with pytest.raises(ValueError, match="'semi-hard', must be one of all, hard, semihard, easy"):
        TripletMarginMiner(0.1, "semi-hard")


def test_small_and_large_distances_are_equally_precise():
    generator = torch.Generator().manual_seed(0)
    centre, noise = torch.randn(2, 40, 16, generator=generator)
    scale = torch.logspace(-4, 0, 40)[:, None]
    points = normalize(normalize(centre[:1], dim=1) + scale * noise, dim=1)
    exact = (points.double()[:, None] - points.double()).square().sum(2)
    squared = squared_distances(points)
    assert squared.dtype == torch.float32
    torch.testing.assert_close(squared, exact.float(), rtol=1e-6, atol=0)


def test_equal_embeddings_have_distance_zero_and_tie_everywhere():
    points = normalize(torch.randn(70, 33, generator=torch.Generator().manual_seed(0)), dim=1)
    squared = squared_distances(points.repeat(3, 1)).view(3, 70, 3, 70)
    assert not squared.diagonal(dim1=1, dim2=3).any()
    assert (squared == squared[:1, :, :1]).all()
