"""Build a loss or a miner from a name and arguments out of a config."""

import inspect
from collections.abc import Mapping
from numbers import Real
from typing import Any, TypeVar

T = TypeVar("T")


def build(kind: str, name: str, args: Mapping[str, Any], choices: Mapping[str, type[T]]) -> T:
    """Build the class called `name` of `choices` with the arguments `args`.

    Raises ValueError for an unknown name, an unknown argument, or a number given as another type.
    """
    if name not in choices:
        raise ValueError(f"Unknown {kind} {name!r}; choose one of {', '.join(sorted(choices))}.")
    accepted = {
        parameter.name: parameter.default
        for parameter in inspect.signature(choices[name]).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD
    }
    for argument, value in args.items():
        if argument not in accepted:
            raise ValueError(
                f"{name} has no argument {argument!r}; "
                f"it accepts {', '.join(accepted) or 'no arguments'}."
            )
        if _is_number(accepted[argument]) and not _is_number(value):
            raise ValueError(f"{name}: {argument} must be a number, not {value!r}.")
    return choices[name](**args)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
