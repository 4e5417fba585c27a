"""Rewards in the scale on which a model of them is fitted."""

import torch
from torch import Tensor


def spread(rewards: Tensor) -> Tensor:
    """Stretch the upper end, where a search has to tell cells apart: ``-log(c - reward)``.

    ``c`` lies above the best reward by half the distance between the best and the median, so the
    result depends on neither the unit nor the origin of the rewards.

    Shapes:
        - rewards: ``[N]``; returns: ``[N]``
    """
    best = rewards.max()
    # The smallest margin must not vanish beside a large reward.
    least = max(1e-12, 1e-14 * abs(best.item()))
    margin = (best - rewards.median()).clamp(min=least) / 2
    return -torch.log(best + margin - rewards)
