"""The training of one network on images."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad

from gnn_nas.tasks.config import AugmentationConfig, ImageTaskConfig
from gnn_nas.tasks.images import Part
from gnn_nas.tasks.task import Diverged

# Images judged at once.
_BATCH = 1000
_LATENCY_REPEATS = 9


@dataclass(frozen=True, slots=True)
class FitResult:
    """How a training went: accuracy on the validation images, epochs made, whether given up."""

    accuracy: float
    epochs: int
    stopped: bool


def train_network(
    network: nn.Module, training: Part, validation: Part, config: ImageTaskConfig, seed: int
) -> FitResult:
    """Train a network in place; what is not drawn by the seed is as the network came.

    Raises:
        Diverged: the loss is no number any more.
    """
    settings, stop = config.training, config.early_stop
    generator = torch.Generator().manual_seed(seed)
    # An incomplete last batch is left out: its statistics would be those of a few images.
    size = min(settings.batch_size, len(training.labels))
    steps = len(training.labels) // size
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=settings.lr,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        nesterov=True,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs * steps)
    for epoch in range(1, settings.epochs + 1):
        network.train()
        order = torch.randperm(len(training.labels), generator=generator)
        total = training.images.new_zeros(())
        for index in order[: steps * size].split(size):
            index = index.to(training.labels.device)
            images = augment(training.images[index], config.augmentation, generator)
            loss = cross_entropy(network(images), training.labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach()
        if not math.isfinite(total.item()):
            raise Diverged(f"the loss is {total.item()} in epoch {epoch}")
        # A hopeless candidate is found out where there is still work to save.
        if stop and epoch == stop.epoch and epoch < settings.epochs:
            reached = accuracy(network, validation)
            if reached < stop.below:
                return FitResult(reached, epoch, stopped=True)
    return FitResult(accuracy(network, validation), settings.epochs, stopped=False)


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


@torch.no_grad()
def accuracy(network: nn.Module, part: Part) -> float:
    """Share of the images whose class the network tells."""
    network.eval()
    correct = sum(
        (network(images).argmax(1) == labels).sum().item()
        for images, labels in zip(part.images.split(_BATCH), part.labels.split(_BATCH), strict=True)
    )
    return correct / len(part.labels)


@torch.no_grad()
def latency(network: nn.Module, image: Tensor) -> float:
    """Milliseconds that one image ``[1, C, H, W]`` takes, the median of a few."""
    network.eval()
    times = []
    for _ in range(_LATENCY_REPEATS):
        started = time.perf_counter()
        network(image).cpu()
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)
