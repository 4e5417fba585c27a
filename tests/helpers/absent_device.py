"""A device that is not there: tensors lie on the CPU, but are told apart as if on a GPU.

What would go wrong on a GPU goes wrong here too: a tensor made without a device meets one that is
elsewhere. Values are real, so whatever depends on them runs as usual, and waits are counted.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor
from torch.autograd.graph import _engine_run_backward
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

DEVICE = torch.device("cuda", 0)

_PACKAGE = Path(__file__).parents[2] / "gnn_nas"
_aten = torch.ops.aten
# Their work goes on between two devices.
_COPIES = {_aten.copy_, _aten._to_copy}
_CHOICES = {_aten.index, _aten.index_put_}
# The host must know a value or a size before it can go on.
_WAITS = {
    _aten._local_scalar_dense,
    _aten.nonzero,
    _aten.masked_select,
    _aten._unique2,
    _aten.unique_dim,
    _aten.bincount,
    _aten.equal,
}
_CPU_ONLY = {Tensor.numpy, Tensor.__array__}


class Mixed(RuntimeError):
    """Tensors of two devices meet, as torch would say on a GPU."""


class Elsewhere:
    """A context in which ``cuda`` is a device; it must be made anew for every use.

    ``waits`` then counts, by place in the package, how often the host had to wait for the device.
    """

    device = DEVICE

    def __init__(self) -> None:
        # By address; held, so that no other tensor comes to lie there.
        self._there: dict[int, torch.UntypedStorage] = {}
        self.waits: Counter[str] = Counter()
        # Whether torch is working on tensors that are there.
        self.inside = False
        self._counts = True
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        made = torch.Generator
        self._stack.callback(setattr, torch, "Generator", made)
        torch.Generator = _Generator
        self._stack.enter_context(_Calls(self))
        self._stack.enter_context(_Kernels(self))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def has(self, tensor: Tensor) -> bool:
        """Whether a tensor is elsewhere."""
        return tensor.untyped_storage().data_ptr() in self._there

    def take(self, tensor: Tensor) -> Tensor:
        """Put a tensor elsewhere that nobody else holds."""
        storage = tensor.untyped_storage()
        # Without entries a tensor has no address; where it is, nothing can tell.
        if address := storage.data_ptr():
            self._there[address] = storage
        return tensor

    def leave(self, tensor: Tensor) -> Tensor:
        """Put a tensor on the CPU that nobody else holds."""
        self._there.pop(tensor.untyped_storage().data_ptr(), None)
        return tensor

    @contextmanager
    def within(self, call: Callable, *arguments: object) -> Iterator[None]:
        """For a call of torch: what it makes for itself lies where its arguments do."""
        before = self.inside
        self.inside = any(self.has(each) for each in _tensors(arguments))
        # It looks at its numbers on the CPU only.
        self._counts = call is not torch.nn.functional.one_hot
        try:
            yield
        finally:
            self.inside, self._counts = before, True

    def count_wait(self) -> None:
        """Note where the package makes the host wait."""
        if not self._counts:
            return
        for frame in reversed(traceback.extract_stack()):
            if Path(frame.filename).is_relative_to(_PACKAGE):
                path = Path(frame.filename).relative_to(_PACKAGE)
                self.waits[f"{path}:{frame.lineno} {frame.line}"] += 1
                return


class _Calls(TorchFunctionMode):
    """Python's calls: what asks for a device gets it, and what is asked of one is answered."""

    def __init__(self, there: Elsewhere) -> None:
        self.there = there

    def __torch_function__(self, func, types, args=(), kwargs=None) -> Any:
        kwargs = kwargs or {}
        there = self.there
        tensor = args[0] if args and isinstance(args[0], Tensor) else None
        is_there = tensor is not None and there.has(tensor)
        if func == Tensor.device.__get__:
            return DEVICE if is_there else func(*args, **kwargs)
        if func == Tensor.is_cuda.__get__:
            return is_there
        if func in _CPU_ONLY and is_there:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if func in (Tensor.to, Tensor.cpu, Tensor.cuda):
            return self._moved(func, tensor, args[1:], kwargs)
        if func is Tensor.backward:
            # The package's own backward passes are called from there.
            start = (torch.ones_like(tensor),)
            with self:
                return _engine_run_backward(
                    (tensor,), start, False, False, (), allow_unreachable=True, accumulate_grad=True
                )
        asked = kwargs.get("device")
        if asked is None:
            with there.within(func, args, kwargs):
                result = func(*args, **kwargs)
            return there.take(result) if func is Tensor.new_tensor and is_there else result
        goes_there = _is_elsewhere(asked)
        generator = kwargs.get("generator")
        if generator is not None and getattr(generator, "is_there", False) != goes_there:
            raise Mixed(f"a generator of another device than {asked}")
        result = func(*args, **{**kwargs, "device": "cpu"})
        return there.take(result) if goes_there else result

    def _moved(self, func, tensor: Tensor, args: tuple, kwargs: dict) -> Tensor:
        there, dtype = self.there, None
        if func is Tensor.cpu:
            goes_there = False
        elif func is Tensor.cuda:
            goes_there = True
        elif args and isinstance(args[0], Tensor):
            goes_there, dtype = there.has(args[0]), args[0].dtype
        else:
            asked, dtype, *_ = torch._C._nn._parse_to(*args, **kwargs)
            goes_there = there.has(tensor) if asked is None else _is_elsewhere(asked)
        if dtype is not None:
            tensor = Tensor.to(tensor, dtype)
        if goes_there == there.has(tensor):
            return tensor
        copy = tensor.clone()
        if goes_there:
            return there.take(copy)
        there.count_wait()
        return there.leave(copy)


class _Kernels(TorchDispatchMode):
    """All that is computed, those of the backward pass too: inputs must be of one device."""

    def __init__(self, there: Elsewhere) -> None:
        super().__init__()
        self.there = there

    def __torch_dispatch__(self, func, types, args=(), kwargs=None) -> Any:
        there, kind = self.there, func.overloadpacket
        inputs = _tensors((args, kwargs))
        elsewhere = [each for each in inputs if there.has(each)]
        # Torch lets numbers of the CPU choose from a tensor elsewhere, for the price of a copy.
        checked = _tensors(args[:1] + args[2:]) if kind in _CHOICES else inputs
        if elsewhere and kind not in _COPIES:
            for each in checked:
                # A number may come from anywhere.
                if each.ndim and each.numel() and not there.has(each):
                    raise Mixed(
                        f"{func}: all tensors must be on {DEVICE}, but one {tuple(each.shape)} is"
                        " on the CPU"
                    )
        if elsewhere and _waits(kind, args):
            there.count_wait()
        result = func(*args, **(kwargs or {}))
        from_nothing = not inputs and there.inside
        if from_nothing or (elsewhere and not (kind is _aten.copy_ and not there.has(args[0]))):
            for each in _tensors(result):
                there.take(each)
        return result


class _Generator(torch.Generator):
    """One that knows for which device it draws."""

    is_there = False

    def __new__(cls, device: torch.device | str = "cpu") -> Self:
        is_there = _is_elsewhere(device)
        made = super().__new__(cls, "cpu" if is_there else device)
        made.is_there = is_there
        return made


def _tensors(arguments: Any) -> list[Tensor]:
    return [each for each in tree_leaves(arguments) if isinstance(each, Tensor)]


def _is_elsewhere(device: torch.device | str) -> bool:
    return torch.device(device).type == DEVICE.type


def _waits(kind: Any, args: tuple) -> bool:
    if kind in _CHOICES:
        return any(each is not None and each.dtype == torch.bool for each in args[1])
    if kind is _aten.repeat_interleave:
        return True
    return kind in _WAITS
