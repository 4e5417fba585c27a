"""Whether what was read from a file has the form of what would have been written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

import torch
from torch import Tensor


def refuse_other_form(given: Any, like: object, name: str) -> None:
    """Compare nested values with others of the form that they must have.

    Mappings have the same keys, tensors the same shape and type, all other values the same type.
    Numbers are finite.

    Args:
        name: what ``given`` is called.

    Raises:
        ValueError: names the first place that differs.
    """
    if isinstance(like, Mapping):
        if not isinstance(given, Mapping):
            raise ValueError(f"{name} is a {type(given).__name__}")
        for key in [*like, *(key for key in given if key not in like)]:
            if (key in given) != (key in like):
                raise ValueError(f"{name}.{key} is {'absent' if key in like else 'unknown'}")
            refuse_other_form(given[key], like[key], f"{name}.{key}")
    elif isinstance(like, Tensor):
        form, expected = _form(given), _form(like)
        if form != expected:
            raise ValueError(f"{name} is {form}, not {expected}")
        if not given.isfinite().all():
            raise ValueError(f"{name} has NaN or infinite numbers")
    elif type(given) is not type(like):
        raise ValueError(f"{name} is a {type(given).__name__}, not a {type(like).__name__}")
    elif isinstance(given, float) and not math.isfinite(given):
        raise ValueError(f"{name} is {given}")


def is_plain_tensor(value: object) -> TypeGuard[Tensor]:
    """Whether this is a tensor whose numbers lie in memory, each at its place."""
    if type(value) is not Tensor or value.layout != torch.strided:
        return False
    return not (value.is_nested or value.is_quantized or value.is_meta)


def _form(value: object) -> str:
    if not is_plain_tensor(value):
        return f"an unusual {type(value).__name__}"
    return f"{value.dtype} {tuple(value.shape)}"
