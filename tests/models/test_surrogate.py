"""The Gaussian process against the textbook's formulas in numpy."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from gnn_nas.models import surrogate as surrogate_module
from gnn_nas.models.surrogate import Surrogate

BLOCKS = (3, 5)


def data(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(count, sum(BLOCKS), generator=generator, dtype=torch.float64)
    noise = torch.randn(count, generator=generator, dtype=torch.float64)
    return inputs, 90 + inputs[:, 0].sin() + inputs[:, 4] / 2 + 0.1 * noise


def fitted(inputs: Tensor, values: Tensor) -> Surrogate:
    surrogate = Surrogate(BLOCKS)
    surrogate.fit(inputs, values)
    return surrogate


def naive_posterior(
    surrogate: Surrogate, known: np.ndarray, values: np.ndarray, inputs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation by the definition, with the fitted hyperparameters."""
    *rest, noise = np.exp(surrogate.parameters.numpy())
    amplitudes, scales = np.split(np.array(rest), 2)
    units = [
        np.median([math.dist(a, b) for i, a in enumerate(block) for b in block[:i]])
        for block in np.split(known, np.cumsum(BLOCKS)[:-1], axis=1)
    ]

    def kernel(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        total = np.zeros((len(left), len(right)))
        bounds = np.cumsum((0, *BLOCKS))
        for block in range(len(BLOCKS)):
            columns = slice(bounds[block], bounds[block + 1])
            for i, a in enumerate(left):
                for j, b in enumerate(right):
                    d = math.dist(a[columns], b[columns]) / (units[block] * scales[block])
                    matern = (1 + math.sqrt(5) * d + 5 * d**2 / 3) * math.exp(-math.sqrt(5) * d)
                    total[i, j] += amplitudes[block] * matern
        return total

    inverse = np.linalg.inv(kernel(known, known) + (noise + 1e-6) * np.eye(len(known)))
    across = kernel(inputs, known)
    mean = across @ inverse @ (values - values.mean()) / values.std(ddof=1)
    variance = np.diag(kernel(inputs, inputs) - across @ inverse @ across.T)
    return values.mean() + values.std(ddof=1) * mean, values.std(ddof=1) * np.sqrt(variance)


def test_it_is_the_posterior_of_the_kernel():
    # An odd number of pairs, whose median numpy and torch agree on.
    inputs, values = data(19)
    surrogate = fitted(inputs, values)
    new, _ = data(7, seed=1)
    expected = naive_posterior(surrogate, inputs.numpy(), values.numpy(), new.numpy())
    for got, wanted in zip(surrogate.predict(new), expected, strict=True):
        np.testing.assert_allclose(got.numpy(), wanted, rtol=1e-6)


def test_hyperparameters_move_from_their_prior_to_what_the_data_say():
    inputs, values = data(200)
    surrogate = fitted(inputs, values)
    new, wanted = data(100, seed=1)
    mean, _ = surrogate.predict(new)
    assert not torch.equal(surrogate.parameters, surrogate.prior)
    assert (mean - wanted).std() < 0.35 * wanted.std()


def test_the_deviation_grows_away_from_the_data():
    inputs, values = data(50)
    _, deviations = fitted(inputs, values).predict(torch.cat([inputs[:1], inputs[:1] + 100]))
    assert deviations[0] < deviations[1] / 2


def test_the_mean_alone_is_the_same():
    inputs, values = data(50)
    surrogate = fitted(inputs.float(), values)
    new = data(30, seed=1)[0].float()
    mean, _ = surrogate.predict(new)
    assert surrogate.predict_mean(new).dtype == torch.float64
    torch.testing.assert_close(surrogate.predict_mean(new), mean, rtol=0, atol=1e-3)


@pytest.mark.parametrize("offset", [0.0, 1e-9, 0.1])
def test_gradients_are_finite_even_at_the_data(offset):
    inputs, values = data(20)
    new = (inputs + offset).requires_grad_()
    mean, deviation = fitted(inputs, values).predict(new)
    (mean + deviation).sum().backward()
    assert new.grad.isfinite().all()


@pytest.mark.parametrize(
    ("inputs", "values"),
    [
        pytest.param(torch.ones(6, 8), torch.arange(6.0), id="equal inputs"),
        pytest.param(data(6)[0], torch.full((6,), 0.9), id="constant values"),
        pytest.param(torch.ones(6, 8), torch.full((6,), 0.9), id="both"),
        pytest.param(data(2)[0], torch.tensor([0.1, 0.9]), id="two points"),
        pytest.param(torch.ones(2, 8), torch.tensor([0.1, 0.9]), id="two equal points"),
    ],
)
def test_poor_data_give_finite_answers(inputs, values):
    surrogate = fitted(inputs, values)
    new = data(5, seed=1)[0]
    for figures in (*surrogate.predict(new), *surrogate.predict(inputs)):
        assert figures.isfinite().all()
    assert surrogate.predict_mean(new).isfinite().all()
    mean, _ = surrogate.predict(new)
    assert (mean >= values.min() - 1).all()
    assert (mean <= values.max() + 1).all()


def test_hyperparameters_are_fitted_to_evenly_spaced_data_where_there_are_many(monkeypatch):
    inputs, values = data(90)
    whole = fitted(inputs, values)
    sizes = []
    fit_parameters = Surrogate._fit_parameters

    def noted(self, distances, values):
        sizes.append({len(values), *(length for d in distances for length in d.shape)})
        fit_parameters(self, distances, values)

    monkeypatch.setattr(Surrogate, "_fit_parameters", noted)
    part = Surrogate(whole.blocks, max_fitted=60)
    part.fit(inputs, values)
    assert sizes == [{60}]
    assert len(part.weights) == 90
    new, _ = data(30, seed=1)
    difference = part.predict(new)[0] - whole.predict(new)[0]
    assert difference.abs().max() < 0.3 * values.std()


@pytest.mark.parametrize("excess", [-398, -1, 0, 1, 399, 3836])
def test_evenly_spaced_data_are_spread_over_all(excess):
    most = 400
    kept = surrogate_module._evenly_spaced(torch.zeros(most + excess, 1), most)
    assert len(kept.unique()) == min(most + excess, most)
    assert kept[0] == 0
    assert kept.diff().max() <= math.ceil((most + excess) / most)


def test_it_says_that_it_knows_nothing_before_it_is_fitted():
    surrogate = Surrogate((2,))
    for use in (surrogate.predict, surrogate.predict_mean, surrogate.believe):
        with pytest.raises(RuntimeError, match="fit it first"):
            use(torch.zeros(3, 2))


def test_what_is_believed_equals_a_fit_to_the_predicted_means():
    generator = torch.Generator().manual_seed(0)
    inputs, new = (torch.randn(n, 3, generator=generator).double() for n in (30, 8))
    surrogate = Surrogate((2, 1))
    surrogate.fit(inputs, inputs.square().sum(1))
    means, before = surrogate.predict(new)
    units, parameters = surrogate.units, surrogate.parameters
    surrogate.believe(new)
    same, after = surrogate.predict(new)
    torch.testing.assert_close(same, means)
    assert (after < before).all()
    # The naive twin: all of Rasmussen & Williams' equations 2.25 and 2.26 with both kinds of data.
    joined = torch.cat([inputs, new])
    amplitudes, scales, noise = parameters[:2].exp(), parameters[2:4].exp(), parameters[4].exp()

    def kernel(left, right):
        total = 0
        for block, unit, a, s in zip(((0, 1), (2,)), units, amplitudes, scales, strict=True):
            apart = (left[:, None, block] - right[None, :, block]).norm(dim=2) / (unit * s)
            root = 5**0.5 * apart
            total = total + a * (1 + root + root**2 / 3) * torch.exp(-root)
        return total

    covariance = kernel(joined, joined) + (noise + 1e-6) * torch.eye(38)
    explained = kernel(new, joined) @ torch.linalg.solve(covariance, kernel(joined, new))
    variance = amplitudes.sum() - explained.diagonal()
    torch.testing.assert_close(after, surrogate.deviation * variance.sqrt(), rtol=1e-4, atol=1e-5)


def test_another_fits_as_one_whose_state_it_has_taken():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(40, 3, generator=generator).double()
    values = inputs.sin().sum(1)
    first, second = Surrogate((2, 1)), Surrogate((2, 1))
    first.fit(inputs[:39], values[:39])
    second.load_state_dict(first.state_dict())
    for surrogate in (first, second):
        surrogate.fit(inputs, values)
    assert torch.equal(first.predict_mean(inputs), second.predict_mean(inputs))
