"""What the untrained network around a cell does with a few images, as figures with names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, cross_entropy, one_hot

from gnn_nas.function import STATISTICS
from gnn_nas.function.probes import Probes
from gnn_nas.references import resolve
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.tasks.network import CellNetwork
from gnn_nas.tasks.network_size import NetworkConfig
from gnn_nas.tasks.ops import are_own_ops

if TYPE_CHECKING:
    from gnn_nas.tasks.graph_network import GraphNetwork

Network: TypeAlias = "CellNetwork | GraphNetwork"

# What a logarithm is taken of is at least this, so that a network that gives nothing has one.
_LEAST = 1e-8
# Keeps the determinant from being zero where two images switch all ReLUs alike.
_KERNEL_RIDGE = 1e-6
_READOUT_RIDGE = 0.1
_READOUT_SIZE = 2


def measure_cell(
    cell: PackedCells, images: Probes, network: NetworkConfig, seeds: Iterable[int]
) -> list[list[float]]:
    """Measure the untrained network around a cell, with the initial weights of some seeds.

    Batch normalisation is by the images at hand, as in a training's first step; for SynFlow it is
    as it begins. All figures are finite, also those of a network that gives zeros.

    Args:
        cell: a batch of one pruned cell, as `CellNetwork` takes it.
        network: its sizes, with the channels and classes of the images.
        seeds: of its initial weights, and of all else that is drawn in it.

    Returns:
        For every seed the `STATISTICS`, in their order.

    Raises:
        UserError: the cell's ops cannot be built.
    """
    measured = []
    with torch.random.fork_rng(devices=[]):
        for model in _drawn(cell, images, network, seeds):
            parameters = [each for each in model.parameters() if each.requires_grad]
            with _without_onednn():
                figures = _on_images(model, parameters, images)
            figures["readout"] = _readout(model, images)
            figures["synflow"] = _synflow(model, parameters, images.ones)
            measured.append([figures[name] for name in STATISTICS])
    return measured


@contextmanager
def _without_onednn() -> Iterator[None]:
    """For few images: its layouts cost more than they save.

    Not by ``torch.backends.mkldnn.flags``, which warns of a setting of other devices.
    """
    onednn: Any = torch.backends.mkldnn
    before, onednn.enabled = onednn.enabled, False
    try:
        yield
    finally:
        onednn.enabled = before


def _drawn(
    cell: PackedCells, images: Probes, network: NetworkConfig, seeds: Iterable[int]
) -> Iterator[Network]:
    """The network as each seed draws it, built once where that is enough: it takes long."""
    model = None
    for seed in seeds:
        # Of dropout in an op of the user's own too.
        torch.manual_seed(seed)
        if model and (cell.space.network or are_own_ops(cell.space)):
            model.redraw()
        else:
            model = _built(cell, images, network)
        yield model


def _built(cell: PackedCells, images: Probes, network: NetworkConfig) -> Network:
    """The untrained network around a cell: of images, or of the nodes of the graph."""
    if cell.space.network is None:
        return CellNetwork(cell, network)
    return resolve(cell.space.network, f"space {cell.space.name}")(cell, network, images.edges)


def _on_images(model: Network, parameters: list[nn.Parameter], images: Probes) -> dict[str, float]:
    """All that one pass forward and one back over the labelled images tell."""
    patterns: list[Tensor] = []
    hooks = [
        module.register_forward_hook(lambda _, __, output: patterns.append(output > 0))
        for module in model.modules()
        if isinstance(module, nn.ReLU)
    ]
    pixels = images.images.clone().requires_grad_()
    maps = model.cells(model.stem(pixels))
    for hook in hooks:
        hook.remove()
    features = _pooled(maps, 1)
    logits = model.classifier(features)
    loss = cross_entropy(logits, images.labels)
    gradients = torch.autograd.grad(
        loss, [pixels, *parameters], allow_unused=True, materialize_grads=True
    )
    with torch.no_grad():
        by_pixels, by_parameters = gradients[0].flatten(1), _joined(gradients[1:])
        kernel, activity = _relu_kernel(patterns, len(pixels))
        centred = features - features.mean(0)
        correlations = _correlations(features)
        matrices = [
            _finite(centred @ centred.T),
            _correlations(maps.flatten(1)),
            kernel,
            _correlations(by_pixels),
        ]
        spectra = torch.linalg.eigvalsh(torch.stack(matrices).double()).clamp_(min=0)
        ranks = _effective_ranks(spectra).tolist()
        count = len(pixels)
        others = correlations.sum() - correlations.trace()
        logarithms = torch.stack(
            [
                features.norm(dim=1).mean(),
                logits.std(0).mean(),
                by_parameters.norm(),
                (_joined(parameters) * by_parameters).abs().sum(),
                by_pixels.norm(dim=1).mean(),
            ]
        )
        names = ("feature_norm", "output_spread", "gradient_norm", "snip", "jacobian_norm")
        return {
            **dict(zip(names, _logarithm(logarithms).tolist(), strict=True)),
            "feature_correlation": float(others) / (count * (count - 1)),
            "feature_rank": ranks[0],
            "map_rank": ranks[1],
            "relu_logdet": float((spectra[2] + _KERNEL_RIDGE).log().sum()),
            "relu_rank": ranks[2],
            "relu_activity": activity,
            "jacobian_rank": ranks[3],
        }


def _relu_kernel(patterns: list[Tensor], images: int) -> tuple[Tensor, float]:
    """The share of ReLUs that two images switch alike, ``[B, B]``, and the share that is on."""
    # An op of the user's own may have mixed images and channels where there is a ReLU; every
    # skeleton has one of its own, where they are apart.
    on = torch.cat([each.flatten(1) for each in patterns if len(each) == images], 1).float()
    both, count = on @ on.T, on.shape[1]
    active = both.diagonal()
    kernel = 1 - (active[:, None] + active - 2 * both) / count
    return kernel, float(active.mean()) / count


def _readout(model: Network, images: Probes) -> float:
    """Leave-one-out accuracy of ridge regression of the classes on the last maps.

    What an image is told without itself follows from the projection ``P`` that gives what all are
    told: its classes less ``(classes - P classes)_i / (1 - P_ii)``.
    """
    with torch.no_grad():
        maps = model.cells(model.stem(images.further))
        x = _finite(_pooled(maps, _READOUT_SIZE).double())
        x -= x.mean(0)
        x *= len(x) ** 0.5 / x.norm().clamp(min=_LEAST)
        classes = one_hot(images.further_labels).double()
        classes -= classes.mean(0)
        ridge = _READOUT_RIDGE * torch.eye(x.shape[1], dtype=x.dtype)
        factor = torch.linalg.cholesky(x.T @ x + ridge)
        root = torch.linalg.solve_triangular(factor, x.T, upper=False)
        left = 1 - root.square().sum(0)[:, None]
        told = classes - (classes - root.T @ (root @ classes)) / left
        return float((told.argmax(1) == images.further_labels).float().mean())


def _synflow(model: Network, parameters: list[nn.Parameter], ones: Tensor) -> float:
    """SynFlow, which leaves the model changed.

    In float32, as all the rest: an op of the user's own may know no other type.
    """
    model.eval()
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.reset_running_stats()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.abs_()
    output = model(ones).sum()
    gradients = torch.autograd.grad(output, parameters, allow_unused=True, materialize_grads=True)
    with torch.no_grad():
        flow = _joined(parameters) @ _joined(gradients).abs()
        return float(_logarithm(flow))


def _pooled(maps: Tensor, size: int) -> Tensor:
    """Maps averaged to so many pixels a side, in a row each; that of a node is one already."""
    if maps.ndim == 2:
        return maps
    return maps.mean((2, 3)) if size == 1 else adaptive_avg_pool2d(maps, size).flatten(1)


def _correlations(x: Tensor) -> Tensor:
    """Correlations between rows, ``[B, B]``; a row without variance has none, to itself either."""
    x = x - x.mean(1, keepdim=True)
    x = _finite(x / x.norm(dim=1, keepdim=True))
    return x @ x.T


def _effective_ranks(spectra: Tensor) -> Tensor:
    """``exp(entropy)`` of eigenvalues as shares of their sum; 1 where all are zero.

    Shapes:
        - spectra: float64 ``[..., B]``; returns: ``[...]``
    """
    shares = _finite(spectra / spectra.sum(-1, keepdim=True))
    return torch.special.entr(shares).sum(-1).exp()


def _joined(tensors: Iterable[Tensor]) -> Tensor:
    """The numbers of all tensors in one row."""
    return torch.cat([each.flatten() for each in tensors])


def _finite(x: Tensor) -> Tensor:
    """The same with 0 in place of what is no number, as where ops of the user's own overflow."""
    return x.nan_to_num(0, 0, 0)


def _logarithm(x: Tensor) -> Tensor:
    most = torch.finfo(x.dtype).max
    return x.nan_to_num(most, most).clamp(min=_LEAST).log()
