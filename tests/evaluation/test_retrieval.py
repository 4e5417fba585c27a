import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gnn_nas.evaluation.retrieval import retrieval


def naive(embeddings: Tensor, labels: Tensor) -> tuple[float, float]:
    """Precision@1 and MAP@R by sorting all others for every query."""
    firsts, maps = [], []
    for query in range(len(labels)):
        others = [other for other in range(len(labels)) if other != query]
        others.sort(key=lambda other: (embeddings[query] - embeddings[other]).norm().item())
        hits = [bool(labels[other] == labels[query]) for other in others]
        group = sum(hits)
        firsts.append(hits[0])
        maps.append(sum(sum(hits[: i + 1]) / (i + 1) for i in range(group) if hits[i]) / group)
    return sum(firsts) / len(firsts), sum(maps) / len(maps)


@settings(max_examples=20)
@given(
    groups=st.integers(2, 8),
    size=st.integers(2, 5),
    spread=st.sampled_from([0.1, 0.5, 2.0]),
    seed=st.integers(0, 1000),
)
def test_equals_sorting_all_others(groups, size, spread, seed):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(groups, 3, generator=generator)
    labels = torch.arange(groups).repeat_interleave(size)
    labels = labels[torch.randperm(len(labels), generator=generator)]
    noise = torch.randn(len(labels), 3, generator=generator)
    embeddings = torch.nn.functional.normalize(centres[labels] + spread * noise, dim=1)
    first, mean = naive(embeddings, labels)
    figures = retrieval(embeddings, labels)
    assert figures.keys() == {"precision_at_1", "map_at_r"}
    assert figures["precision_at_1"] == pytest.approx(first)
    assert figures["map_at_r"] == pytest.approx(mean)


def test_tight_groups_are_found_and_scattered_ones_are_not():
    labels = torch.arange(5).repeat_interleave(3)
    corners = torch.eye(5)[labels]
    found = retrieval(corners + 0.01 * torch.rand(15, 5), labels)
    assert found == {"precision_at_1": 1.0, "map_at_r": 1.0}
    # Each group's members stand at three far corners, beside those of the other groups.
    scattered = torch.eye(3)[torch.arange(3).repeat(5)] + 0.01 * torch.rand(15, 3)
    assert retrieval(scattered, labels) == {"precision_at_1": 0.0, "map_at_r": 0.0}


def test_more_queries_than_are_searched_at_a_time():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(600).repeat_interleave(2)
    embeddings = torch.randn(600, 3, generator=generator)[labels]
    embeddings += 0.05 * torch.randn(1200, 3, generator=generator)
    embeddings = torch.nn.functional.normalize(embeddings, dim=1)
    first, mean = naive_by_matrix(embeddings, labels)
    figures = retrieval(embeddings, labels)
    assert 0.1 < first < 0.9
    assert figures["precision_at_1"] == pytest.approx(first, abs=2e-3)
    assert figures["map_at_r"] == pytest.approx(mean, abs=2e-3)


def naive_by_matrix(embeddings: Tensor, labels: Tensor) -> tuple[float, float]:
    """For groups of two, where R is 1 and both figures are the same."""
    distances = (embeddings[:, None] - embeddings).norm(dim=2).fill_diagonal_(float("inf"))
    share = (labels[distances.argmin(1)] == labels).float().mean().item()
    return share, share
