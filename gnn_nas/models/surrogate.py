"""A Gaussian process on cells' descriptors: what a search believes about rewards, and more."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

# Prior means of the kernels' scales, in units of the median distance, and of the noise.
_SCALE, _NOISE = 1.5, 0.1
_JITTER = 1e-6
_ITERATIONS = 30
# Growth of the data after which the hyperparameters are fitted anew.
_GROWTH = 1.1
# Data that units and hyperparameters are fitted to at most: a step of that costs their cube.
_MAX_FITTED = 400
# Entries of a covariance that are worked on at once: more leave the processor's cache, which makes
# predictions up to ten times slower.
_ENTRIES = 2**18


class Surrogate:
    """Gaussian-process regression with one Matérn-5/2 kernel for every block of the inputs.

    ``k(x, x') = sum over blocks b of a_b matern(|x_b - x'_b| / s_b)``; amplitudes, scales and noise
    maximise the posterior under weak log-normal priors (Rasmussen & Williams 2006, chapters 2, 5).

    Args:
        blocks: widths of the blocks of columns.
        max_fitted: most data that units and hyperparameters are fitted to.

    Attributes:
        parameters: logarithms of amplitudes, scales and noise, float64 ``[2 * blocks + 1]``.
        inputs: known from `fit` and `believe`, float64 ``[N, D]``; None before the first fit.
        mean, deviation: of the values fitted, which are standardised by them, column by column.
        units: median distances of the inputs fitted, by block: scales count in them.
        factor: of Cholesky of the covariance, lower, ``[N, N]``; weights: of the kernel's rows in
            the predicted mean, ``[N]`` or ``[N, columns]``.
    """

    inputs: Tensor | None = None

    def __init__(self, blocks: tuple[int, ...], max_fitted: int = _MAX_FITTED) -> None:
        self.blocks = blocks
        self.max_fitted = max_fitted
        count = len(blocks)
        amplitudes, scales = [1 / count] * count, [_SCALE] * count
        self.prior = torch.tensor([*amplitudes, *scales, _NOISE], dtype=torch.float64).log()
        self.parameters = self.prior.clone()
        self._fitted_to = 0

    def fit(self, inputs: Tensor, values: Tensor) -> None:
        """Learn from ``[N, D]`` inputs and their values, ``[N]``, two at least.

        Of several columns of values, ``[N, columns]``, each is learnt on its own, but with the same
        hyperparameters, which are those that fit all of them best.
        """
        self.inputs = inputs.double()
        self.mean, self.deviation = values.mean(0), values.std(0).clamp(min=1e-12)
        values = (values.double() - self.mean) / self.deviation
        some = _evenly_spaced(inputs, self.max_fitted)
        distances = [distance[:, some] for distance in self._distances(self.inputs[some])]
        apart = ~torch.eye(len(some), dtype=torch.bool, device=inputs.device)
        self.units = [d[apart].median().clamp(min=1e-6) for d in distances]
        if len(inputs) >= self._fitted_to * _GROWTH:
            self._fit_parameters(distances, values[some])
            self._fitted_to = len(inputs)
        self._condition(values)

    @torch.no_grad()
    def believe(self, inputs: Tensor) -> None:
        """Take what is predicted at ``[M, D]`` inputs for their values, until the next `fit`.

        Means stay what they are, and deviations shrink around the inputs: the kriging believer
        (Ginsbourger, Le Riche & Carraro 2010). Raises RuntimeError before the first fit.
        """
        known = self._known()
        means = self._kernel(self._distances(inputs.double()), self.parameters) @ self.weights
        self.inputs = torch.cat([known, inputs.double()])
        self._condition(torch.cat([self._values, means]))

    @torch.no_grad()
    def _condition(self, values: Tensor) -> None:
        """Take values for those at the inputs; only covariance and factor are large."""
        inputs = self._known()
        covariance = inputs.new_empty(len(inputs), len(inputs))
        chunk = self._chunk()
        for part, own in zip(inputs.split(chunk), covariance.split(chunk), strict=True):
            own.copy_(self._kernel(self._distances(part), self.parameters))
        self._values = values
        self.factor = self._factor(covariance, self.parameters)
        self.weights = _solve(self.factor, values)

    def predict(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of the values at ``[M, D]`` inputs, ``[M]`` each.

        The deviation is that of the noiseless value; both can be differentiated by the inputs.
        Raises RuntimeError before the first fit.
        """
        parts = [self._predict(part) for part in inputs.double().split(self._chunk())]
        means, deviations = (torch.cat(part) for part in zip(*parts, strict=True))
        return self.mean + self.deviation * means, self.deviation * deviations

    @torch.no_grad()
    def predict_mean(self, inputs: Tensor) -> Tensor:
        """The mean alone, in single precision, for many inputs: it costs no triangular solve.

        Shapes:
            - inputs: ``[M, D]``; returns: float64 ``[M]``, or ``[M, columns]``
        """
        chunk, weights = self._chunk(), self.weights.float()
        parts = [
            self._kernel(self._distances(part), self.parameters) @ weights
            for part in inputs.float().split(chunk)
        ]
        return self.mean + self.deviation * torch.cat(parts).double()

    def _chunk(self) -> int:
        return max(_ENTRIES // len(self._known()), 64)

    def _known(self) -> Tensor:
        if self.inputs is None:
            raise RuntimeError("the surrogate knows nothing yet: fit it first")
        return self.inputs

    def state_dict(self) -> dict[str, Any]:
        """What the next `fit` depends on beside its data."""
        return {"parameters": self.parameters, "fitted_to": self._fitted_to}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Fit from now on as another would; nothing is predicted before."""
        self.parameters, self._fitted_to = state["parameters"], state["fitted_to"]

    def _predict(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        covariance = self._kernel(self._distances(inputs), self.parameters)
        explained = torch.linalg.solve_triangular(self.factor, covariance.T, upper=False)
        prior = self.parameters[: len(self.blocks)].exp().sum()
        variance = prior - explained.square().sum(0)
        return covariance @ self.weights, variance.clamp(min=1e-9).sqrt()

    def _fit_parameters(self, distances: list[Tensor], values: Tensor) -> None:
        parameters = self.parameters.clone().requires_grad_()
        optimizer = torch.optim.LBFGS(
            [parameters], lr=0.5, max_iter=_ITERATIONS, line_search_fn="strong_wolfe"
        )

        def loss() -> Tensor:
            optimizer.zero_grad()
            factor = self._factor(self._kernel(distances, parameters), parameters)
            fit = values.flatten() @ _solve(factor, values).flatten()
            likelihood = -fit / 2 - values[0].numel() * factor.diagonal().log().sum()
            surprise = 0.05 * (parameters - self.prior).square().sum()
            (surprise - likelihood).backward()
            return (surprise - likelihood).detach()

        before = self.parameters
        try:
            optimizer.step(loss)
        except torch.linalg.LinAlgError:
            # A step of the line search left what float64 can factorise.
            parameters = before
        self.parameters = parameters.detach() if parameters.isfinite().all() else before

    def _factor(self, covariance: Tensor, parameters: Tensor) -> Tensor:
        noise = parameters[-1].exp() + _JITTER
        return torch.linalg.cholesky(covariance + noise * torch.eye(len(covariance)).to(covariance))

    def _kernel(self, distances: list[Tensor], parameters: Tensor) -> Tensor:
        amplitudes, scales = parameters[:-1].exp().view(2, -1)
        parts = zip(distances, self.units, amplitudes, scales, strict=True)
        return sum(a * _matern(distance / (unit * s)) for distance, unit, a, s in parts)

    def _distances(self, inputs: Tensor) -> list[Tensor]:
        """Distances of inputs from the data in every block, ``[M, N]`` each."""
        known = self._known().to(inputs.dtype).split(self.blocks, dim=1)
        return [
            _distance(part, other)
            for part, other in zip(inputs.split(self.blocks, dim=1), known, strict=True)
        ]


def _evenly_spaced(inputs: Tensor, most: int) -> Tensor:
    """Places of so many of the inputs at most."""
    count = min(len(inputs), most)
    return torch.arange(count, device=inputs.device) * len(inputs) // count


def _solve(factor: Tensor, values: Tensor) -> Tensor:
    """The covariance's inverse, given by its factor, times values, ``[N]`` or ``[N, columns]``."""
    return torch.cholesky_solve(values.view(len(values), -1), factor).view_as(values)


def _distance(left: Tensor, right: Tensor) -> Tensor:
    squares = left.square().sum(1)[:, None] + right.square().sum(1) - 2 * left @ right.T
    # Away from 0, where the root has no gradient.
    return squares.clamp(min=1e-12).sqrt()


def _matern(distance: Tensor) -> Tensor:
    scaled = math.sqrt(5) * distance
    return (1 + scaled + scaled.square() / 3) * torch.exp(-scaled)
