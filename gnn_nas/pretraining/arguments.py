"""An optimiser, a loss or a miner from a name and arguments out of a config."""

import copy
import inspect
from collections.abc import Callable, Collection, Mapping
from numbers import Real
from typing import Any

from gnn_nas.errors import UserError
from gnn_nas.references import is_reference, resolve, users_code


def build(
    option: str, kind: str, name: str, args: Mapping[str, Any], choices: Mapping[str, type]
) -> Any:
    """Build the class called ``name`` of ``choices``, or the user's own, with arguments.

    What ``module:object`` names is called with the arguments if it is a class or a function that
    makes one; another object takes none, and a copy of it is given.

    Args:
        option: the config key of the name; kind: what it names, for errors.

    Raises:
        ValueError: an unknown name, an unknown argument, or a value that does not fit.
        UserError: the user's own cannot be imported or made, or cannot be called.
    """
    if is_reference(name):
        return _build_own(option, kind, name, args)
    if name not in choices:
        known = ", ".join(sorted(choices))
        raise ValueError(f"Unknown {kind} {name!r}; choose one of {known}, or give module:object.")
    check_arguments(name, choices[name], args)
    try:
        return choices[name](**args)
    except ValueError:
        raise
    except Exception as error:  # libraries raise anything for values that they did not foresee
        raise ValueError(f"{name} takes no such arguments: {reason(error)}.") from error


def _build_own(option: str, kind: str, name: str, args: Mapping[str, Any]) -> Callable:
    given = resolve(name, option)
    if inspect.isclass(given) or inspect.isroutine(given):
        with users_code(f"{option} {name} cannot be made"):
            given = given(**args)
    elif args:
        raise UserError(f"{option} {name} is an object, which takes no arguments: remove them")
    else:
        # Steps that are made to see whether it works are no part of the run.
        with users_code(f"{option} {name} cannot be copied"):
            given = copy.deepcopy(given)
    if not callable(given):
        raise UserError(f"{option} {name} is no {kind}: it cannot be called")
    return given


def check_arguments(
    name: str, taker: Callable, args: Mapping[str, Any], reserved: Collection[str] = ()
) -> None:
    """Refuse an argument that ``taker`` lacks, or a value unlike its default.

    Args:
        name: of the taker, for the message; reserved: arguments that are none of the config's.

    Raises:
        ValueError: names the argument and what is accepted.
    """
    accepted = {
        parameter.name: parameter
        for parameter in inspect.signature(taker).parameters.values()
        if parameter.kind is not parameter.VAR_KEYWORD and parameter.name not in reserved
    }
    for argument, value in args.items():
        if argument not in accepted:
            raise ValueError(
                f"{name} has no argument {argument!r}; "
                f"it accepts {', '.join(accepted) or 'no arguments'}."
            )
        parameter = accepted[argument]
        wanted, fits = _like(parameter.default, parameter.annotation)
        if not fits(value):
            raise ValueError(f"{name}: {argument} must be {wanted}, not {value!r}.")


def is_number(value: object) -> bool:
    """Whether a value is a number, which true and false are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def reason(error: Exception) -> str:
    """Give what an exception says as a part of one line."""
    return " ".join(str(error).split()).rstrip(". ") or type(error).__name__


def _like(default: object, annotation: object) -> tuple[str, Callable[[object], bool]]:
    """What values an argument takes, by its default: in words, and as a test."""
    match default:
        case bool():
            return "true or false", lambda value: isinstance(value, bool)
        case Real():
            return "a number", is_number
        case str():
            # "all", or how many.
            return "a text or a number", lambda value: isinstance(value, str) or is_number(value)
        case tuple():
            kinds = [_like(each, annotation)[1] for each in default]
            return (
                f"a list of {len(default)} numbers",
                lambda value: (
                    isinstance(value, list)
                    and len(value) == len(kinds)
                    and all(fits(each) for fits, each in zip(kinds, value, strict=True))
                ),
            )
        case None if annotation == bool | None:
            return "true, false or null", lambda value: value is None or isinstance(value, bool)
        case None:
            return "a number or null", lambda value: value is None or is_number(value)
    return "something else", lambda value: True
