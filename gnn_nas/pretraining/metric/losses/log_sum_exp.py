"""A masked log-sum-exp by one softmax, several times faster than the library's."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def log_one_plus_sum_exp(x: Tensor, keep: Tensor) -> Tensor:
    """Compute log(1 + Σ_j exp(x_ij)) over the kept j, 0 for a row that keeps none.

    Shapes:
        - x: ``[R, C]``, finite; keep: bool ``[R, C]``
        - returns: ``[R]``
    """
    # So far below the others the exponential is 0, and nothing need be chosen entry by entry.
    x = x.sub((~keep).to(x.dtype), alpha=torch.finfo(x.dtype).max)
    # The 1 is exp(0): what remains is minus the logarithm of its softmax.
    return -pad(x, (1, 0)).log_softmax(1)[:, 0]
