"""A masked log-sum-exp by one softmax, several times faster than the library's."""

from torch import Tensor
from torch.nn.functional import pad

# Subtracted from what is left out: its exponential is 0, and nothing need be chosen entry by entry.
_FAR = 1e30


def log_one_plus_sum_exp(x: Tensor, keep: Tensor) -> Tensor:
    """Compute log(1 + Σ_j exp(x_ij)) over the kept j, 0 for a row that keeps none.

    Shapes: x (R, C), finite, keep (R, C) bool, result (R).
    """
    x = x.sub((~keep).to(x.dtype), alpha=_FAR)
    # The 1 is exp(0): what remains is minus the logarithm of its softmax.
    return -pad(x, (1, 0)).log_softmax(1)[:, 0]
