import pytest
import torch
from scipy.stats import norm

from gnn_nas.evaluation.labels import (
    NEIGHBOURS,
    gaussian_process,
    gaussian_ranks,
    label_taus,
    nearest,
    ridge,
    tau,
)

# On a line; what they are worth is their place on it.
LINE = torch.linspace(0, 1, 400)[:, None]
PLACE = LINE[:, 0].double()


def test_ranks_become_normal_quantiles():
    targets = gaussian_ranks(torch.tensor([0.1, 0.9, 0.5, 0.5]))
    expected = norm.ppf([0.125, 0.875, 0.5, 0.5])
    torch.testing.assert_close(targets, torch.from_numpy(expected))


def test_neighbours_are_averaged():
    points = torch.tensor([[0.0], [1], [2], [3], [4], [50], [51]])
    known = torch.tensor([6, 0, 1, 2, 3, 4])
    targets = torch.tensor([9.0, 1, 2, 3, 4, 5], dtype=torch.float64)
    assert NEIGHBOURS == 5
    found = nearest(points, known, targets)
    assert found[:5].tolist() == [3.0] * 5
    assert found[5:].tolist() == [(9 + 5 + 4 + 3 + 2) / 5] * 2


def test_a_plane_is_what_ridge_regression_finds_and_noise_is_shrunk():
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(300, 6, generator=generator)
    known = torch.arange(40)
    plane = (2 + points @ torch.arange(6.0)).double()
    torch.testing.assert_close(ridge(points, known, plane[known]), plane, atol=1e-3, rtol=0)
    noise = torch.randn(40, generator=generator).double()
    assert ridge(points, known, noise).std() < 0.3


@pytest.mark.parametrize("predict", [gaussian_process, nearest, ridge])
def test_what_varies_smoothly_is_predicted_and_chance_is_not(predict):
    assert tau(predict, LINE, PLACE, 60, seed=1000) > 0.9
    chance = torch.rand(400, generator=torch.Generator().manual_seed(0)).double()
    assert abs(tau(predict, LINE, chance, 60, seed=1000)) < 0.2


def test_the_cells_learnt_from_do_not_count():
    """A predictor that knows only these orders the others not at all."""

    def recall(points, known, targets):
        scores = torch.zeros(400, dtype=torch.float64)
        scores[0] = 1e-9
        return scores.index_put((known,), targets)

    assert abs(tau(recall, LINE, PLACE, 60, seed=1000)) < 0.1


def test_what_is_the_same_everywhere_orders_nothing():
    scores = torch.ones(400, dtype=torch.float64)
    assert tau(lambda *_: scores, LINE, PLACE, 60, seed=1000) == 0


def test_splits_depend_on_the_seeds_alone_and_blocks_have_their_own_kernels():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    noisy = torch.cat([LINE, torch.rand(400, 8, generator=torch.Generator().manual_seed(1))], dim=1)
    found = label_taus(noisy, PLACE, 60, [1000, 1001])
    assert torch.equal(torch.get_rng_state(), state)
    assert found == label_taus(noisy, PLACE, 60, [1000, 1001])
    assert found["knn"] == [tau(nearest, noisy, PLACE, 60, seed) for seed in (1000, 1001)]
    assert found["knn"][0] != found["knn"][1]
    apart = label_taus(noisy, PLACE, 60, [1000, 1001], (1, 8))
    assert min(apart["gp"]) > max(found["gp"])
    assert {name: apart[name] for name in ("knn", "ridge")} == {
        name: found[name] for name in ("knn", "ridge")
    }
