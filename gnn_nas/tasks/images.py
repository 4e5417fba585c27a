"""Images and their labels as arrays: what all sources give, and the digits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gnn_nas.errors import UserError

MOST_BYTES = 2**32
"""Largest array of images that is read; all of ImageNet at 32 by 32 has a tenth less."""


class Images(NamedTuple):
    """Labelled images.

    Shapes:
        - pixels: ``[N, C, H, W]``, uint8 or floating point
        - labels: int64 ``[N]``, from 0 without gaps
    """

    pixels: np.ndarray
    labels: np.ndarray


def refuse_one_class(source: object, labels: np.ndarray) -> None:
    """Raise UserError unless there are two classes or more."""
    if labels.max() == 0:
        raise UserError(f"{source} has images of one class only: there is nothing to tell apart")


def read_digits() -> Images:
    """Scikit-learn's bundled digits: 1,797 grey images of 8 by 8, ten classes."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return Images(digits.images[:, None].astype(np.uint8), digits.target.astype(np.int64))
