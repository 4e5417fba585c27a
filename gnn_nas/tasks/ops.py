"""Operations of cells as modules, and those of a user's own, built by what a space says of them.

An operation of a space is named as ``module:object`` in `CellSpace.modules`: a callable that makes
an `nn.Module` of a number of channels. The module keeps the shape of its input, and does not change
it in place: other vertices may read it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import nn

from gnn_nas.errors import UserError, reported
from gnn_nas.files import to_json
from gnn_nas.references import own_file, resolve, users_code
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.space import CellSpace

# Height and width of the images with which an op is tried, and how many.
_SIZE, _IMAGES = 8, 2


class ConvNormRelu(nn.Sequential):
    """Convolution of stride 1 that keeps the image's size, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel, padding="same", bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
        )


class ReluConvNorm(nn.Sequential):
    """The same in the order of NAS-Bench-201 (Dong & Yang 2020), here of any stride."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(out_channels),
        )


class Zeros(nn.Module):
    """Gives nothing, and passes gradients of nothing on."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Zeros like ``x``."""
        return x * 0


def conv3x3(channels: int) -> nn.Module:
    """3×3 convolution, batch normalisation, ReLU, as in NAS-Bench-101 (Ying et al. 2019)."""
    return ConvNormRelu(channels, channels, 3)


def conv1x1(channels: int) -> nn.Module:
    """1×1 convolution, batch normalisation, ReLU, as in NAS-Bench-101."""
    return ConvNormRelu(channels, channels, 1)


def relu_conv3x3(channels: int) -> nn.Module:
    """ReLU, 3×3 convolution, batch normalisation, as in NAS-Bench-201 (Dong & Yang 2020)."""
    return ReluConvNorm(channels, channels, 3)


def relu_conv1x1(channels: int) -> nn.Module:
    """ReLU, 1×1 convolution, batch normalisation, as in NAS-Bench-201."""
    return ReluConvNorm(channels, channels, 1)


def depthwise3x3(channels: int) -> nn.Module:
    """3×3 convolution of every channel on its own, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding="same", groups=channels, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )


def separable3x3(channels: int) -> nn.Module:
    """`depthwise3x3`, then `conv1x1`: a separable convolution of MobileNet (Howard et al. 2017)."""
    return nn.Sequential(depthwise3x3(channels), conv1x1(channels))


def maxpool3x3(channels: int) -> nn.Module:
    """Maximum of 3×3 pixels, as in NAS-Bench-101."""
    return nn.MaxPool2d(3, stride=1, padding=1)


def avgpool3x3(channels: int) -> nn.Module:
    """Mean of 3×3 pixels, of those that the image has, as in NAS-Bench-201."""
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


def skip(channels: int) -> nn.Module:
    """The input as it is."""
    return nn.Identity()


def none(channels: int) -> nn.Module:
    """Zeros, as where NAS-Bench-201 has no edge."""
    return Zeros()


def build_op(space: CellSpace, op: int, channels: int) -> nn.Module:
    """The module of a space's op, by its number, of so many channels.

    Raises:
        UserError: the space does not say how its ops are built, or the op is built by code of the
            user's own that cannot be imported, raises or gives no module.
    """
    if not space.modules:
        raise UserError(
            f"space {space.name} does not say how its ops are built: networks need a module:object"
            " for every op, such as gnn_nas.tasks.ops:conv3x3"
        )
    called, factory = _called(space, op), _factory(space, op)
    with users_code(f"{called} must be built of any number of channels, and is not of {channels}"):
        module = factory(channels)
    if not isinstance(module, nn.Module):
        raise UserError(f"{called} must give a torch.nn.Module, not a {type(module).__name__}")
    return module


def op_parameters(space: CellSpace, channels: int) -> list[int]:
    """Trainable parameters of every op with so many channels; no memory is taken for them.

    Raises:
        UserError: see `build_op`.
    """
    counts = []
    for op in range(len(space.ops)):
        with torch.device("meta"):
            module = build_op(space, op, channels)
        with users_code(f"{_called(space, op)} has parameters that cannot be counted"):
            counts.append(sum(each.numel() for each in module.parameters() if each.requires_grad))
    return counts


def are_own_ops(space: CellSpace) -> bool:
    """Whether all ops of a space are of this module, so that it is known how they begin."""
    return all(reference.startswith(f"{__name__}:") for reference in space.modules)


def check_ops(space: CellSpace, widths: Iterable[int]) -> None:
    """Build every op of a space with all these numbers of channels, and run it on a few images.

    The random state is left as it was.

    Raises:
        UserError: see `build_op`, or an op fails on the images, does not keep their shape, or
            changes them in place.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for channels in widths:
            images = torch.randn(_IMAGES, channels, _SIZE, _SIZE)
            for op in range(len(space.ops)):
                _try(build_op(space, op, channels), images, _called(space, op))


def own_files(space: CellSpace) -> dict[str, Path]:
    """Files of the user's own in which ops of a space are, by the names of their modules.

    Raises:
        UserError: an op's module cannot be imported.
    """
    found = {}
    for op, reference in enumerate(space.modules):
        _factory(space, op)
        if path := own_file(reference):
            found[reference.partition(":")[0]] = path
    return found


def fingerprint_in(space: CellSpace, fingerprint: str) -> str:
    """The fingerprint of a task with what decides the networks of a space's cells.

    For NAS-Bench-101 it is the task's own: there was no other space once.

    Raises:
        UserError: an op's module cannot be imported or read.
    """
    if space == NASBENCH101:
        return fingerprint
    graph = [space.max_vertices, space.wiring, space.nodes]
    digest = hashlib.sha256(to_json([fingerprint, space.ops, space.modules, *graph]).encode())
    for name, path in sorted(own_files(space).items()):
        with reported(f"space {space.name}: cannot read {path}"):
            digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()


def _try(module: nn.Module, images: torch.Tensor, called: str) -> None:
    given, shape = images.clone(), list(images.shape)
    with users_code(f"{called} fails on images {shape}"):
        made = module(given)
    if not isinstance(made, torch.Tensor):
        raise UserError(f"{called} must give a tensor of images {shape}: a {type(made).__name__}")
    if made.shape != images.shape:
        raise UserError(
            f"{called} makes {list(made.shape)} of images {shape}: it must keep their shape, by"
            " stride 1, padding, and as many channels out as in"
        )
    if not torch.equal(given, images):
        raise UserError(
            f"{called} changes its input, which others read too: give inplace=False, or copy it"
        )


def _factory(space: CellSpace, op: int) -> Callable[[int], nn.Module]:
    try:
        return resolve(space.modules[op], f"space {space.name}: op {space.ops[op]}")
    except UserError as error:
        raise UserError(
            f"{error}; it must be a module:object of the current folder or of what is installed"
        ) from None


def _called(space: CellSpace, op: int) -> str:
    """What errors call an op."""
    return f"space {space.name}: op {space.ops[op]} ({space.modules[op]})"
