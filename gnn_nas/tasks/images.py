"""Labelled images: what all sources give, the digits, and what is trained and tested on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.tasks.config import SplitConfig

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


class Part(NamedTuple):
    """Images of one part: float32 ``[N, C, H, W]``, and their labels, int64 ``[N]``."""

    images: Tensor
    labels: Tensor

    def to(self, device: str) -> Part:
        """The same part on another device."""
        return Part(self.images.to(device), self.labels.to(device))


class Parts(NamedTuple):
    """Training, validation and test images, normalised by the training images' mean and spread."""

    training: Part
    validation: Part
    test: Part


def refuse_one_class(source: object, labels: np.ndarray) -> None:
    """Raise UserError unless there are two classes or more."""
    if labels.max() == 0:
        raise UserError(f"{source} has images of one class only: there is nothing to tell apart")


def read_digits() -> Images:
    """Scikit-learn's bundled digits: 1,797 grey images of 8 by 8, ten classes."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return Images(digits.images[:, None].astype(np.uint8), digits.target.astype(np.int64))


def part_indices(labels: np.ndarray, split: SplitConfig) -> tuple[np.ndarray, ...]:
    """Positions of training, validation and test images; every class has its share in each.

    Raises:
        UserError: a class has too few images.
    """
    draw = np.random.default_rng(split.seed)
    parts: tuple[list[np.ndarray], ...] = ([], [], [])
    for label in range(labels.max() + 1):
        members = draw.permutation(np.flatnonzero(labels == label))
        test = max(1, round(split.test * len(members)))
        validation = max(1, round(split.validation * len(members)))
        if len(members) - test - validation < 1:
            raise UserError(f"class {label} has {len(members)} images: too few for this split")
        bounds = [len(members) - test - validation, len(members) - test]
        for part, positions in zip(parts, np.split(members, bounds), strict=True):
            part.append(positions)
    return tuple(np.sort(np.concatenate(part)) for part in parts)


def divide(images: Images, split: SplitConfig) -> Parts:
    """Divide images as `part_indices` does, and normalise every channel."""
    training, validation, test = part_indices(images.labels, split)
    # By strides torch chooses a convolution, and so the last bits of a training. Those of an axis
    # of size 1 mean nothing: they differ between what was read and what was unpickled.
    pixels = torch.empty(images.pixels.shape).copy_(torch.from_numpy(images.pixels))
    labels = torch.from_numpy(images.labels)
    deviation, mean = torch.std_mean(pixels[training], (0, 2, 3), keepdim=True)
    pixels = (pixels - mean) / deviation.clamp(min=1e-6)
    return Parts(*(Part(pixels[index], labels[index]) for index in (training, validation, test)))
