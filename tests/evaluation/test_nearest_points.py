import pytest
import torch

from gnn_nas.evaluation import nearest_points
from gnn_nas.evaluation.nearest_points import distances_to_others, nearest_neighbours


def naive(points, count):
    """By sorting the distances to all other points."""
    found = []
    for at, point in enumerate(points):
        others = [other for other in range(len(points)) if other != at]
        apart = {other: (point - points[other]).double().norm().item() for other in others}
        found.append(sorted(others, key=apart.get)[:count])
    return found


@pytest.mark.parametrize("block", [1, 7, 30, 64])
def test_equals_sorting_all_others_whatever_the_block(monkeypatch, block):
    monkeypatch.setattr(nearest_points, "_BLOCK", block)
    points = torch.randn(30, 4, generator=torch.Generator().manual_seed(block))
    indices, distances = nearest_neighbours(points, 5)
    assert indices.tolist() == naive(points, 5)
    assert distances == pytest.approx((points[:, None] - points[indices]).norm(dim=2))


def test_points_that_differ_in_the_last_digits_keep_their_distances():
    points = torch.tensor([[1.0, 0.0], [1.0, 1e-5], [1.0, 3e-5], [0.0, 1.0]])
    indices, distances = nearest_neighbours(points, 2)
    assert indices[:3].tolist() == [[1, 2], [0, 2], [1, 0]]
    assert distances[0].tolist() == pytest.approx([1e-5, 3e-5])


def test_the_same_point_twice_is_its_own_neighbour_only_as_another():
    points = torch.tensor([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    indices, distances = nearest_neighbours(points, 1)
    assert indices[:2, 0].tolist() == [1, 0]
    assert distances[:2, 0].tolist() == [0, 0]


def test_blocks_cover_every_row_once(monkeypatch):
    monkeypatch.setattr(nearest_points, "_BLOCK", 4)
    points = torch.randn(10, 2)
    blocks = list(distances_to_others(points))
    assert [row for rows, _ in blocks for row in range(10)[rows]] == list(range(10))
    whole = torch.cat([distances for _, distances in blocks])
    assert whole.diagonal().isinf().all()
    assert whole.fill_diagonal_(0) == pytest.approx((points[:, None] - points).norm(dim=2))
