"""What points in space, as embeddings are, tell of cells' rewards from a few that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from scipy.stats import kendalltau, rankdata
from sklearn.linear_model import RidgeCV
from torch import Tensor

from gnn_nas.models.surrogate import Surrogate

NEIGHBOURS = 5
_PENALTIES = np.logspace(-4, 4, 17)
# Cells whose neighbours are looked for at once.
_CHUNK = 4096

Predict = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Tells scores of all points, ``[N]``, from the rows of known ones and their targets."""


def label_taus(
    points: Tensor,
    rewards: Tensor,
    size: int,
    seeds: Iterable[int],
    blocks: tuple[int, ...] | None = None,
) -> dict[str, list[float]]:
    """Kendall's tau of what is told from ``size`` random points on all others, by seed.

    (White et al. 2021, BANANAS, and Yan et al. 2020, arch2vec, judge encodings of cells so.) Told
    are Gaussian ranks of the rewards: by the ``knn``, by ``ridge`` regression and by the searches'
    Gaussian process, ``gp``.

    Args:
        blocks: widths of the columns that have a kernel of their own; by default one for all.

    Shapes:
        - points: ``[N, D]``, on the CPU; rewards: ``[N]``
    """

    def process(points: Tensor, known: Tensor, targets: Tensor) -> Tensor:
        return gaussian_process(points, known, targets, blocks)

    predictors: dict[str, Predict] = {"knn": nearest, "ridge": ridge, "gp": process}
    return {
        name: [tau(predict, points, rewards, size, seed) for seed in seeds]
        for name, predict in predictors.items()
    }


def tau(predict: Predict, points: Tensor, rewards: Tensor, size: int, seed: int) -> float:
    """Kendall's tau on all points but ``size`` random ones, which are learnt from.

    It is 0 where all scores are the same, which order nothing.
    """
    generator = torch.Generator().manual_seed(seed)
    known, others = torch.randperm(len(rewards), generator=generator).tensor_split([size])
    scores = predict(points, known, gaussian_ranks(rewards[known]))
    found = kendalltau(scores[others].numpy(), rewards[others].numpy()).statistic
    return float(np.nan_to_num(found))


def nearest(points: Tensor, known: Tensor, targets: Tensor) -> Tensor:
    """The mean target of the nearest known points."""
    among, count = points[known].float(), min(NEIGHBOURS, len(known))
    found = [
        torch.cdist(part.float(), among).topk(count, largest=False).indices
        for part in points.split(_CHUNK)
    ]
    return targets[torch.cat(found)].mean(1)


def ridge(points: Tensor, known: Tensor, targets: Tensor) -> Tensor:
    """Ridge regression, its penalty chosen by leaving one out (Golub, Heath & Wahba 1979)."""
    inputs = points.double().numpy()
    model = RidgeCV(_PENALTIES).fit(inputs[known.numpy()], targets.numpy())
    return torch.from_numpy(model.predict(inputs))


def gaussian_process(
    points: Tensor, known: Tensor, targets: Tensor, blocks: tuple[int, ...] | None = None
) -> Tensor:
    """The mean of the searches' surrogate."""
    surrogate = Surrogate(blocks or (points.shape[1],))
    surrogate.fit(points[known], targets)
    return surrogate.predict_mean(points)


def gaussian_ranks(rewards: Tensor) -> Tensor:
    """Rewards mapped to the normal distribution by their ranks; equal ones stay equal.

    Shapes:
        - rewards: ``[N]``; returns: float64 ``[N]``
    """
    ranks = torch.from_numpy(rankdata(rewards.numpy())).double()
    return torch.special.ndtri((ranks - 0.5) / len(ranks))
