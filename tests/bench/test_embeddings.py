import pytest
import torch

from bench.embeddings import NEIGHBOURS, View, gaussian_process, nearest, tau


@pytest.fixture
def line() -> View:
    """Cells on a line; what they are worth is their place on it."""
    return View("line", torch.linspace(0, 1, 400)[:, None], (1,))


def test_neighbours_are_averaged():
    view = View("few", torch.tensor([[0.0], [1], [2], [3], [4], [50], [51]]), (1,))
    known = torch.tensor([6, 0, 1, 2, 3, 4])
    targets = torch.tensor([9.0, 1, 2, 3, 4, 5], dtype=torch.float64)
    assert NEIGHBOURS == 5
    found = nearest(view, known, targets)
    assert found[:5].tolist() == [3.0] * 5
    assert found[5:].tolist() == [(9 + 5 + 4 + 3 + 2) / 5] * 2


@pytest.mark.parametrize("predict", [gaussian_process, nearest])
def test_what_varies_smoothly_is_predicted_and_chance_is_not(line, predict):
    place = line.inputs[:, 0].double()
    assert tau(line, predict, place, 60, seed=1000) > 0.9
    chance = torch.rand(400, generator=torch.Generator().manual_seed(0)).double()
    assert abs(tau(line, predict, chance, 60, seed=1000)) < 0.2


def test_the_cells_learnt_from_do_not_count(line):
    """A predictor that knows only these orders the others not at all."""

    def recall(view, known, targets):
        scores = torch.zeros(400, dtype=torch.float64)
        scores[0] = 1e-9
        return scores.index_put((known,), targets)

    place = line.inputs[:, 0].double()
    assert abs(tau(line, recall, place, 60, seed=1000)) < 0.1


def test_splits_depend_on_the_seed_alone(line):
    place = line.inputs[:, 0].double()
    first = tau(line, nearest, place, 60, seed=1000)
    assert tau(line, nearest, place, 60, seed=1000) == first
    assert tau(line, nearest, place, 60, seed=1001) != first
