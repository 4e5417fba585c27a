"""The least time that a pretraining step can take on this machine.

The larger of two terms, each measured on the same threads:

- the floating-point operations of the step's matrix products, counted, over the rate of a large
  product of the same precision;
- the bytes that even a step fused perfectly must move, over the bandwidth of a large copy: what the
  forward pass keeps for the backward pass is written once and read once; parameters are read by
  both passes and updated, gradients written and read, the optimiser's state read and written.

The bytes that all operations read and write one after the other are counted too. They are no part
of the floor: most of them need not leave the caches.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, UntypedStorage
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import (
    FlopCounterMode,
    addmm_flop,
    baddbmm_flop,
    flop_registry,
    register_flop_formula,
)

from bench.measuring import Figure, time_of
from gnn_nas.pretraining.training_state import TrainingState

_aten = torch.ops.aten
# Known are products that make a new tensor, not those that add to one in place.
register_flop_formula(_aten.addmm_, get_raw=True)(addmm_flop)
register_flop_formula(_aten.baddbmm_, get_raw=True)(baddbmm_flop)

# They read no more of a table than they give.
_LOOK_UPS = {_aten.index, _aten.index_select, _aten.gather, _aten.embedding}
# They touch no data, though their schema does not say that the result is a view.
_FREE = {_aten.empty, _aten.empty_like, _aten.new_empty, _aten.empty_strided, _aten._unsafe_view}
_PRODUCT, _COPY = 2048, 1 << 26


class OperationCounter(TorchDispatchMode):
    """Counts the floating-point operations of matrix products by precision, and bytes moved."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: Counter[torch.dtype] = Counter()
        self.traffic = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        packet = func.overloadpacket
        if formula := flop_registry.get(packet):
            self.operations[result.dtype] += formula(*args, **kwargs, out_val=result)
        if packet not in _FREE and not _is_view(func):
            written = _bytes(tree_leaves(result))
            read = _bytes(tree_leaves((args, kwargs)))
            self.traffic += written + (min(read, written) if packet in _LOOK_UPS else read)
        return result


@dataclass(frozen=True)
class Work:
    """What a step has to do: operations by precision, bytes it must move, bytes its parts move."""

    operations: Counter[torch.dtype]
    compulsory: int
    traffic: int


def floor(state: TrainingState, name: str, step: float) -> list[Figure]:
    """The floor of the next step of a run, beside ``step``, its milliseconds as measured."""
    work = count(state)
    rates = {precision: _product_rate(precision) for precision in work.operations}
    bandwidth = _bandwidth()
    computing = 1e3 * sum(n / rates[precision] for precision, n in work.operations.items())
    moving = 1e3 * work.compulsory / bandwidth
    least = max(computing, moving)
    threads = torch.get_num_threads()

    def figure(what: str, value: float, unit: str, condition: str = "") -> Figure:
        return Figure(f"{name}, floor: {what}", value, unit, condition, threads)

    return [
        *(
            figure(f"{_short(p)} operations", n / 1e9, "GFLOP", "of matrix products in a step")
            for p, n in work.operations.items()
        ),
        *(
            figure(
                f"{_short(p)} rate", rate / 1e9, "GFLOP/s", f"product of {_PRODUCT} x {_PRODUCT}"
            )
            for p, rate in rates.items()
        ),
        figure("bytes, fused", work.compulsory / 1e6, "MB", "activations kept, parameters"),
        figure("bytes, unfused", work.traffic / 1e6, "MB", "by all operations of a step"),
        figure("copy bandwidth", bandwidth / 1e9, "GB/s", f"{4 * _COPY >> 20} MB, read and write"),
        figure("computing", computing, "ms", "operations at their rate"),
        figure("moving", moving, "ms", "fused bytes at the bandwidth"),
        figure("moving unfused", 1e3 * work.traffic / bandwidth, "ms", "no part of the floor"),
        Figure(f"{name}, floor", least, "ms", "the larger of computing and moving", threads),
        Figure(f"{name}, step / floor", step / least, "x", f"step {step:.1f} ms", threads),
    ]


def count(state: TrainingState) -> Work:
    """Count what one step does by making it.

    Raises:
        RuntimeError: `FlopCounterMode` comes to another number of operations.
    """
    kept: dict[int, UntypedStorage] = {}
    parameters = {parameter.untyped_storage().data_ptr() for parameter in state.trained}

    def keep(tensor: Tensor) -> Tensor:
        # Holds the storage: if it were freed within the step, its address could be another's.
        storage = tensor.untyped_storage()
        kept.setdefault(storage.data_ptr(), storage)
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with hooks, FlopCounterMode(display=False) as check, OperationCounter() as counter:
        state.advance()
    if check.get_total_flops() != counter.operations.total():
        raise RuntimeError("the two counts of operations differ")
    activations = sum(storage.nbytes() for at, storage in kept.items() if at not in parameters)
    # Read by both passes and by the update, and written by it; the gradient is written and read.
    updating = 6 * _bytes(state.trained) + 2 * _bytes(tree_leaves(dict(state.optimizer.state)))
    return Work(counter.operations, 2 * activations + updating, counter.traffic)


def _product_rate(precision: torch.dtype) -> float:
    left, right = torch.randn(2, _PRODUCT, _PRODUCT).to(precision)
    result = torch.empty_like(left)
    times = time_of(lambda: torch.mm(left, right, out=result), 10, warmups=2, budget=5)
    return 2 * _PRODUCT**3 / min(times.seconds)


def _bandwidth() -> float:
    source = torch.ones(_COPY)
    target = torch.zeros(_COPY)
    times = time_of(lambda: target.copy_(source), 15, warmups=2)
    return 2 * source.nbytes / min(times.seconds)


def _bytes(leaves: Iterable[Any]) -> int:
    """Bytes of the tensors among some objects; an expanded one has no more than its storage."""
    return sum(
        min(leaf.nbytes, leaf.untyped_storage().nbytes())
        for leaf in leaves
        if isinstance(leaf, Tensor)
    )


def _is_view(func: Any) -> bool:
    aliases = [each.alias_info for each in func._schema.returns]
    return any(alias is not None and not alias.is_write for alias in aliases)


def _short(precision: torch.dtype) -> str:
    return str(precision).removeprefix("torch.")
