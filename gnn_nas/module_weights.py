"""Whether weights that were read from a file are those of a module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gnn_nas.errors import UserError

# torch takes a second to import, and whoever has a module has imported it.
if TYPE_CHECKING:
    from torch import Tensor, nn


def load_into(module: nn.Module, state_dict: Mapping[str, Tensor], source: object) -> None:
    """Copy weights into a module.

    Floating-point numbers of two bytes or more are converted where they are of another precision.

    Raises :class:`UserError`, naming ``source`` and the first tensor that differs, if the weights
    are those of another architecture, or are none; the module is unchanged then.
    """
    refuse_other_architecture(module, state_dict, source)
    for name, own in module.state_dict().items():
        given = state_dict[name]
        converts = given.is_floating_point() and given.itemsize > 1 and own.is_floating_point()
        if not converts and given.dtype != own.dtype:
            raise UserError(f"{source} holds no weights: {name} is {given.dtype}, not {own.dtype}")
        if not given.to(own.dtype).isfinite().all():
            raise UserError(f"{source} holds no weights: {name} has NaN or infinite numbers")
    module.load_state_dict(state_dict)


def refuse_other_architecture(
    module: nn.Module, state_dict: Mapping[str, Tensor], source: object
) -> None:
    """Raise :class:`UserError` unless weights have a module's names and shapes.

    The module may be on the ``meta`` device, where it takes no memory.
    """
    own = module.state_dict()
    for name in [*own, *(name for name in state_dict if name not in own)]:
        here = tuple(own[name].shape) if name in own else "absent"
        there = tuple(state_dict[name].shape) if name in state_dict else "absent"
        if here != there:
            raise UserError(
                f"{source} holds another architecture than the config: {name} is {there} there,"
                f" {here} here; use the config that it was trained with, or train it anew if an"
                " older version wrote it"
            )
