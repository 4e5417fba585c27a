"""Mined triplets and their reductions, against loops over the triplets."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn_nas.pretraining.metric.triplets import MinedTriplets, TripletsBelow, positive_slots

LABELS = st.lists(st.integers(-2, 4), min_size=1, max_size=14).map(torch.tensor)


def random_triplets(labels: torch.Tensor, seed: int) -> tuple[MinedTriplets, list]:
    """Choose about half of all triplets; return them in both forms."""
    generator = torch.Generator().manual_seed(seed)
    same_label = labels[:, None] == labels
    slots = positive_slots(same_label)
    wanted = torch.rand(*slots.shape, len(labels), generator=generator) < 0.5
    triplets = []
    for anchor, row in enumerate(slots.tolist()):
        for slot, positive in enumerate(row):
            for negative in range(len(labels)):
                legal = positive != anchor and not same_label[anchor, negative]
                wanted[anchor, slot, negative] &= legal
                if wanted[anchor, slot, negative]:
                    triplets.append((anchor, positive, negative))
    return MinedTriplets(slots, wanted), triplets


@settings(derandomize=True, deadline=None)
@given(LABELS)
def test_slots_hold_the_positives_in_order_then_the_anchor(labels):
    values = labels.tolist()
    positives = [
        [j for j, other in enumerate(values) if other == label and j != i]
        for i, label in enumerate(values)
    ]
    width = max(1, *(len(row) for row in positives))
    expected = [row + [i] * (width - len(row)) for i, row in enumerate(positives)]
    assert positive_slots(labels[:, None] == labels).tolist() == expected


@settings(derandomize=True, deadline=None)
@given(LABELS, st.integers(0, 1000))
def test_reductions_agree_with_the_list_of_triplets(labels, seed):
    mined, triplets = random_triplets(labels, seed)
    positive = torch.zeros(len(labels), len(labels), dtype=torch.long)
    negative = positive.clone()
    for a, p, n in triplets:
        positive[a, p] += 1
        negative[a, n] += 1

    assert mined.count.item() == len(triplets)
    assert mined.positive_counts().tolist() == positive.tolist()
    assert mined.negative_counts().tolist() == negative.tolist()
    assert mined.several.item() == (len(triplets) > 1)
    for anchor, (slots, mask) in enumerate(zip(mined.positive, mined.slot_mask(), strict=True)):
        assert slots[mask].tolist() == positive[anchor].nonzero().flatten().tolist()
    assert mined.negative_mask().tolist() == (negative > 0).tolist()
    assert torch.stack(mined.indices(), 1).tolist() == sorted(map(list, triplets))
    first, second, third, fourth = (index.tolist() for index in mined.pairs())
    assert list(zip(first, second, strict=True)) == sorted({(a, p) for a, p, _ in triplets})
    assert list(zip(third, fourth, strict=True)) == sorted({(a, n) for a, _, n in triplets})


def test_counts_beyond_a_byte_do_not_wrap_around():
    labels = torch.tensor([0] * 300 + [1] * 270)
    same_label = labels[:, None] == labels
    slots = positive_slots(same_label)
    is_positive = slots != torch.arange(len(labels))[:, None]
    mined = MinedTriplets(slots, is_positive[:, :, None] & ~same_label[:, None])
    assert mined.positive_counts()[0, 1].item() == 270
    assert mined.negative_counts()[0, 300].item() == 299
    assert mined.negative_counts()[300, 0].item() == 269
    assert mined.count.item() == 300 * 299 * 270 + 270 * 269 * 300


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(1, 90), st.integers(1, 12), st.floats(-3, 3), st.integers(0, 1000))
def test_triplets_below_a_limit_are_those_of_the_whole_tensor(batch, classes, shift, seed):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (batch,), generator=generator)
    same_label = labels[:, None] == labels
    slots = positive_slots(same_label)
    is_positive = slots != torch.arange(batch)[:, None]
    value = torch.randn(batch, batch, generator=generator)
    limit = shift + torch.randn(slots.shape, generator=generator)
    chosen = (value[:, None] + value[slots]) < limit[:, :, None]
    expected = MinedTriplets(slots, chosen & is_positive[:, :, None] & ~same_label[:, None])
    lazy = TripletsBelow(
        slots, value.masked_fill(same_label, torch.inf), limit.masked_fill(~is_positive, -torch.inf)
    )
    assert torch.equal(lazy.slot_mask(), expected.slot_mask())
    assert torch.equal(lazy.negative_mask(), expected.negative_mask())
    assert lazy.several == expected.several
    assert torch.equal(lazy.chosen, expected.chosen)
    assert lazy.count == expected.count


def test_one_triplet_is_not_several():
    value = torch.full((3, 3), torch.inf)
    value[0, 2] = value[1, 2] = 0.0
    limits = torch.tensor([[1.0], [-1.0], [-torch.inf]])
    slots = torch.tensor([[1], [0], [2]])
    assert TripletsBelow(slots, value, limits).count == 1
    assert not TripletsBelow(slots, value, limits).several
    limits[1] = 1.0
    assert TripletsBelow(slots, value, limits).several
