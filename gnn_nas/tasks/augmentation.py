"""Training images, varied a little."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from gnn_nas.tasks.config import AugmentationConfig


def augment(images: Tensor, config: AugmentationConfig, generator: torch.Generator) -> Tensor:
    """Mirror half of the images and move each of them by whole pixels, over an edge of zeros.

    Args:
        generator: on the CPU, so that the same images come of it on every device.

    Shapes:
        - images, returns: ``[B, C, H, W]``
    """
    count, _, height, width = images.shape
    if config.flip:
        mirrored = torch.rand(count, generator=generator) < 0.5
        images = torch.where(
            mirrored.to(images.device)[:, None, None, None], images.flip(3), images
        )
    if not config.shift:
        return images
    most = config.shift
    offsets = torch.randint(2 * most + 1, (2, count, 1), generator=generator)
    rows = (offsets[0] + torch.arange(height)).to(images.device)
    columns = (offsets[1] + torch.arange(width)).to(images.device)
    padded = pad(images, (most, most, most, most))
    batch = torch.arange(count, device=images.device)[:, None, None]
    # The channels come last of it, as the slice stands between index tensors, and they stay last in
    # memory, wherever the images come from: convolutions take two thirds of the time so.
    return padded[batch, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
