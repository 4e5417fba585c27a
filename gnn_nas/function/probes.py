"""What untrained networks are given: a few images (digits, noise, a user's own), or a graph."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from gnn_nas.errors import UserError

DIGITS, NOISE, GRAPH = "digits", "noise", "graph"

# Images for gradients and kernels, and further ones for the readout.
_COUNT, _FURTHER = 16, 112
# So many classes, of each of which the readout has seen some images.
_CLASSES = 10
_SIZE, _LARGEST = 8, 16
# Of the graph, whose nodes have neighbours of their own class by four chances in five.
_NODES, _NODE_CLASSES, _FEATURES = 96, 4, 16
_DEGREE, _HOMOPHILY = 4.0, 0.8


class Probes(NamedTuple):
    """Images of at most ten classes, normalised; or the nodes of a graph in their place.

    Shapes:
        - images: float32 ``[16, C, H, W]``; labels: int64 ``[16]``
        - further: more of them, ``[112, C, H, W]`` or fewer; further_labels: ``[112]``
        - edges: int64 ``[2, E]``, none between images. Of a graph ``images`` and ``further`` are
          both the features of all nodes, ``[N, C]``.
    """

    images: Tensor
    labels: Tensor
    further: Tensor
    further_labels: Tensor
    edges: Tensor = torch.empty(2, 0, dtype=torch.long)

    @property
    def is_graph(self) -> bool:
        """Whether they are nodes, not images."""
        return self.images.ndim == 2

    @property
    def classes(self) -> int:
        """How many there are."""
        return 1 + int(torch.cat([self.labels, self.further_labels]).max())

    @property
    def ones(self) -> Tensor:
        """Ones in place of one image, or of all nodes of a graph."""
        return torch.ones_like(self.images if self.is_graph else self.images[:1])

    @property
    def digest(self) -> str:
        """A hash of all of them."""
        digest = hashlib.sha256()
        for tensor in self:
            digest.update(f"{tensor.dtype} {list(tensor.shape)}".encode())
            digest.update(tensor.contiguous().numpy())
        return digest.hexdigest()


def open_probes(given: str) -> Probes:
    """Open ``digits``, ``noise``, the training images of a task file, or the ``graph``.

    The digits are scikit-learn's. Images of a task that are larger than 16 pixels are averaged down
    to that. Noise is Gaussian, its classes are drawn. The graph is that of `_graph`. What is chosen
    is the same every time.

    Raises:
        UserError: it is none of them, or the task has too few images.
    """
    generator = torch.Generator().manual_seed(0)
    if given == NOISE:
        pixels = torch.randn(_COUNT + _FURTHER, 1, _SIZE, _SIZE, generator=generator)
        return _chosen(pixels, torch.arange(len(pixels)) % _CLASSES, generator)
    if given == DIGITS:
        from gnn_nas.tasks.images import read_digits

        digits = read_digits()
        pixels = torch.from_numpy(digits.pixels).float()
        pixels = (pixels - pixels.mean()) / pixels.std()
        return _chosen(pixels, torch.from_numpy(digits.labels), generator)
    if given == GRAPH:
        return _graph(generator)
    if Path(given).suffix not in (".yaml", ".yml"):
        raise UserError(f"images {given}: neither {DIGITS} nor {NOISE} nor a task file, FILE.yaml")
    from gnn_nas.tasks.image_task import ImageTask

    training = ImageTask.from_file(given).parts.training.to("cpu")
    probes = _chosen(training.images, training.labels, generator)
    if len(probes.further) < _COUNT:
        raise UserError(
            f"{given}: {len(training.labels)} training images, of which untrained networks need"
            f" {2 * _COUNT} of {_CLASSES} classes"
        )
    return probes


def _graph(generator: torch.Generator) -> Probes:
    """A stochastic block model (Holland et al. 1983), whose nodes have noisy features.

    A node has the features of its class, which are drawn, plus Gaussian noise of the same size.
    """
    labels = torch.arange(_NODES) % _NODE_CLASSES
    inside, size = labels[:, None] == labels, _NODES / _NODE_CLASSES
    chances = torch.where(inside, _HOMOPHILY / size, (1 - _HOMOPHILY) / (_NODES - size)) * _DEGREE
    drawn = (torch.rand(_NODES, _NODES, generator=generator) < chances).triu(1)
    edges = (drawn | drawn.T).nonzero().T.contiguous()
    of_class = torch.randn(_NODE_CLASSES, _FEATURES, generator=generator)
    x = of_class[labels] + torch.randn(_NODES, _FEATURES, generator=generator)
    x = (x - x.mean()) / x.std()
    return Probes(x, labels, x, labels, edges)


def _chosen(pixels: Tensor, labels: Tensor, generator: torch.Generator) -> Probes:
    """A random choice of images, the classes as even as can be in both parts."""
    order = torch.randperm(len(labels), generator=generator)
    kept = torch.randperm(int(labels.max()) + 1, generator=generator)[:_CLASSES]
    # How many images of its class come before each; by that they take turns.
    is_of = labels[order, None] == kept
    order, is_of = order[is_of.any(1)], is_of[is_of.any(1)]
    turn = is_of.cumsum(0)[is_of]
    order = order[turn.argsort(stable=True)][: _COUNT + _FURTHER]
    images, labels = pixels[order], (labels[order, None] == kept).int().argmax(1)
    images = _shrunk(images)
    return Probes(images[:_COUNT], labels[:_COUNT], images[_COUNT:], labels[_COUNT:])


def _shrunk(images: Tensor) -> Tensor:
    """Images averaged down, of their shape, until neither side is larger than the limit."""
    height, width = images.shape[2:]
    factor = math.ceil(max(height, width) / _LARGEST)
    return adaptive_avg_pool2d(images, (math.ceil(height / factor), math.ceil(width / factor)))
