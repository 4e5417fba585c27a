"""The three parts of a task's images: to train on, for the reward, and for the end."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gnn_nas.errors import UserError
from gnn_nas.tasks.config import SplitConfig
from gnn_nas.tasks.images import Images


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
