"""Optimiser and learning-rate schedule from their config."""

import inspect
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from gnn_nas.config import OptimizerConfig
from gnn_nas.pretraining.arguments import check_arguments, is_number, reason
from gnn_nas.pretraining.form import refuse_other_form

# Sums and maxima of squares, as the optimisers of torch call them.
_NEVER_NEGATIVE = {
    *("acc_delta", "exp_avg_sq", "exp_inf", "max_exp_avg_sq", "square_avg", "sum"),
    *("row_var", "col_var", "variance"),
}


def make_optimizer(config: OptimizerConfig, parameters: Iterable[nn.Parameter]) -> Optimizer:
    """Build an optimiser of `torch.optim` by its class name.

    Raises:
        ValueError: there is no such class, or it takes no such argument.
    """
    # Some need a closure, sparse gradients or matrices only, which there are none of here.
    unusable = {Optimizer, torch.optim.LBFGS, torch.optim.SparseAdam, torch.optim.Muon}
    known: dict[str, Any] = {
        name: kind
        for name, kind in vars(torch.optim).items()
        if inspect.isclass(kind) and issubclass(kind, Optimizer) and kind not in unusable
    }
    if config.name not in known:
        raise ValueError(f"optimizer.name {config.name!r} is none of {', '.join(sorted(known))}")
    args = dict(config.args)
    kind = known[config.name]
    if "fused" in inspect.signature(kind).parameters and not args.get("foreach"):
        # All parameters in one pass instead of a dozen small operations each.
        args.setdefault("fused", True)
    try:
        check_arguments(config.name, kind, args, reserved=("params", "lr"))
        return kind(parameters, lr=config.lr, **args)
    except Exception as error:  # torch raises anything for values that it did not foresee
        raise ValueError(f"optimizer.args do not fit {config.name}: {reason(error)}") from error


def refuse_impossible_state(
    config: OptimizerConfig, parameters: Iterable[nn.Parameter], state: Any, step: int
) -> None:
    """Raise ``ValueError`` unless this is an optimiser's ``state`` after ``step`` steps.

    A fused optimiser would read and write wherever a tensor of another shape leads it.
    """
    refuse_other_form(state, _state_after_one(config, parameters) if step else {}, "optimizer")
    for number, kept in state.items():
        for name, value in kept.items():
            if name == "step" and value != step:
                raise ValueError(f"optimizer.{number}.step is {value}, not {step}")
            if name in _NEVER_NEGATIVE and (value < 0).any():
                raise ValueError(f"optimizer.{number}.{name} has negative numbers")


def _state_after_one(
    config: OptimizerConfig, parameters: Iterable[nn.Parameter]
) -> dict[int, dict[str, Any]]:
    """What an optimiser of such parameters keeps once it has stepped."""
    twins = [nn.Parameter(torch.zeros_like(parameter)) for parameter in parameters]
    for twin in twins:
        twin.grad = torch.zeros_like(twin)
    optimizer = make_optimizer(config, twins)
    optimizer.step()
    return optimizer.state_dict()["state"]


def make_schedule(config: OptimizerConfig, optimizer: Optimizer, steps: int) -> LambdaLR:
    """Build the learning-rate schedule of a run of ``steps`` steps.

    Raises:
        ValueError: the schedule takes no such argument or value.
    """
    schedule = SCHEDULES[config.schedule]
    try:
        check_arguments(config.schedule, schedule, config.schedule_args, reserved=("steps",))
        factor = schedule(steps, **config.schedule_args)
        # Where a factor is largest or smallest, but for the 1 at a peak.
        rates = [config.lr * factor(0), config.lr * factor(steps)]
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"optimizer.schedule_args do not fit {config.schedule}: {reason(error)}"
        ) from error
    if not all(math.isfinite(rate) for rate in rates):
        raise ValueError(f"the learning rate of the schedule {config.schedule} becomes infinite")
    return LambdaLR(optimizer, factor)


def _constant(steps: int) -> Callable[[int], float]:
    return lambda step: 1.0


def _step(steps: int, at: list[int], gamma: float) -> Callable[[int], float]:
    """Multiply by ``gamma`` at each of the steps ``at`` (the paper: 0.2 at 6,000)."""
    if not (isinstance(at, list) and all(type(step) is int and step >= 0 for step in at)):
        raise ValueError(f"at must be a list of steps, not {at!r}")
    _refuse_negative("gamma", gamma)
    return lambda step: gamma ** sum(step >= milestone for milestone in at)


def _cosine(steps: int, floor: float = 0.0) -> Callable[[float], float]:
    """Fall along half a cosine to ``floor`` (Loshchilov & Hutter 2017, without restarts)."""
    _refuse_negative("floor", floor)
    return lambda step: floor + (1 - floor) * (1 + math.cos(math.pi * step / steps)) / 2


def _one_cycle(steps: int, warmup: float = 0.05, floor: float = 1e-3) -> Callable[[int], float]:
    """Rise linearly over the share ``warmup`` of the steps, then fall along half a cosine."""
    if not 0 <= warmup <= 1:
        raise ValueError(f"warmup is a share from 0 to 1, not {warmup}")
    rise = max(1.0, warmup * steps)
    fall = _cosine(max(1, math.ceil(steps - rise)), floor)
    return lambda step: (step + 1) / rise if step + 1 < rise else fall(step + 1 - rise)


def _refuse_negative(name: str, value: float) -> None:
    if not (is_number(value) and value >= 0):
        raise ValueError(f"{name} must be a number that is not negative, not {value!r}")


SCHEDULES: dict[str, Any] = {
    "constant": _constant,
    "step": _step,
    "cosine": _cosine,
    "one-cycle": _one_cycle,
}
