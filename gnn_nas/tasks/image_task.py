"""The task of classifying images: digits, or a user's own."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from gnn_nas.config_file import load
from gnn_nas.errors import UserError
from gnn_nas.files import to_json
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.tasks.config import ImageTaskConfig
from gnn_nas.tasks.image_arrays import read_arrays
from gnn_nas.tasks.image_folder import read_folder
from gnn_nas.tasks.images import Images, Parts, divide, part_indices, read_digits
from gnn_nas.tasks.network import CellNetwork, NetworkConfig
from gnn_nas.tasks.network_files import weights_bytes
from gnn_nas.tasks.task import TestResult, TrainingResult
from gnn_nas.tasks.training import FitResult, accuracy, latency, train_network

# Part of the fingerprint: a change of what the same config does makes another task. A cost is in
# its second version, all else in its first.
_VERSION, _COST_VERSION = 1, 2


class ImageTask:
    """Rewards a cell by the validation accuracy of its network; a `gnn_nas.tasks.task.Task`.

    Args:
        config: of the task; images: all of them.

    Raises:
        UserError: a class has too few images, or the network's sizes are not those of the data.
    """

    has_test = True

    def __init__(self, config: ImageTaskConfig, images: Images) -> None:
        self.config = config
        self.name = config.name
        self.settings = config.model_dump(exclude={"name", "timeout", "trainings"})
        self.trainings = config.trainings
        self.timeout = config.timeout
        self.cost = config.cost.of if config.cost else "parameters"
        self.network = _network(config.network, images)
        self._images = images
        part_indices(images.labels, config.split)

    def __reduce__(self) -> tuple:
        # As arrays: pickled tensors would take up shared memory, which is scarce in containers.
        return ImageTask, (self.config, self._images)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read a task file and its images. Raises UserError."""
        config = load(ImageTaskConfig, path)
        try:
            return cls(config, _read(config, Path(path).parent))
        except UserError as error:
            raise UserError(f"{path}: {error}") from None

    @cached_property
    def fingerprint(self) -> str:
        """A hash of the images and of all settings that decide a training's result."""
        settings = self.config.model_dump(exclude={"name", "data", "trainings", "timeout"})
        settings["network"] = self.network.model_dump()
        version = _COST_VERSION if self.config.cost else _VERSION
        digest = hashlib.sha256(to_json([version, settings]).encode())
        for array in self._images:
            digest.update(f"{array.dtype} {array.shape}".encode())
            digest.update(array)
        return digest.hexdigest()

    def train(self, cell: PackedCells, seed: int) -> TrainingResult:
        """Train a cell: see `gnn_nas.tasks.task.Task`.

        Latency is measured only where it is the cost, and no other training is then made beside
        this one: with one on every core the same network takes up to 15 times as long.
        """
        network, fit = self._train(cell, seed)
        metrics: dict[str, Any] = {
            "accuracy": fit.accuracy,
            "parameters": sum(each.numel() for each in network.parameters()),
            "epochs": fit.epochs,
        }
        if self.cost == "latency":
            metrics["latency"] = self._latency(network)
        reward = fit.accuracy
        if cost := self.config.cost:
            reward *= min(1.0, (cost.target / metrics[cost.of]) ** cost.weight)
        return TrainingResult(reward, metrics, fit.stopped)

    def test(self, cell: PackedCells, seed: int) -> TestResult:
        """Judge a cell by the held-out images: see `gnn_nas.tasks.task.Task`.

        Its latency is measured now, as tests are made one after the other.
        """
        network, fit = self._train(cell, seed)
        metrics: dict[str, Any] = {
            "accuracy": fit.accuracy,
            "test": accuracy(network, self._parts.test),
            "latency": self._latency(network),
        }
        return TestResult(metrics, weights_bytes(network))

    def _latency(self, network: CellNetwork) -> float:
        return latency(network, self._parts.validation.images[:1])

    def _train(self, cell: PackedCells, seed: int) -> tuple[CellNetwork, FitResult]:
        network = CellNetwork(cell, self.network, seed).to(self.config.training.device)
        parts = self._parts
        return network, train_network(network, parts.training, parts.validation, self.config, seed)

    @cached_property
    def parts(self) -> Parts:
        """The images that are trained on, validated with and tested with, on the CPU."""
        return divide(self._images, self.config.split)

    @cached_property
    def _parts(self) -> Parts:
        return Parts(*(part.to(self.config.training.device) for part in self.parts))


def _read(config: ImageTaskConfig, folder: Path) -> Images:
    data = config.data
    path = folder / data.source
    is_arrays = data.source == "digits" or path.suffix == ".npz"
    for name in ("size", "channels"):
        if is_arrays == (getattr(data, name) is not None):
            raise UserError(
                f"data.{name} is for a folder of images: "
                + ("it must be null here" if is_arrays else "it must be given here")
            )
    if data.source == "digits":
        return read_digits()
    return read_arrays(path) if is_arrays else read_folder(path, data.size, data.channels)


def _network(config: NetworkConfig, images: Images) -> NetworkConfig:
    """The network's sizes with those that the data decides."""
    found = {"classes": int(images.labels.max()) + 1, "in_channels": images.pixels.shape[1]}
    for name, value in found.items():
        if name in config.model_fields_set and getattr(config, name) != value:
            raise UserError(f"network.{name} is {getattr(config, name)}, but the data has {value}")
    return config.model_copy(update=found)
