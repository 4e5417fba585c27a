"""YAML files into checked configuration objects, with errors that a user can act on."""

import copy
import difflib
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from gnn_nas.errors import UserError
from gnn_nas.files import read_regular
from gnn_nas.plain_yaml import MOST_LEVELS, parse_yaml, shortened

Config = TypeVar("Config", bound=BaseModel)

MOST_BYTES = 50_000
"""Largest config file that is read; ours have a thirtieth of it."""
_MOST_PROBLEMS = 10


def load(
    kind: type[Config],
    source: str | os.PathLike[str] | Mapping[str, Any],
    overrides: Iterable[str] = (),
    name: str = "the given config",
) -> Config:
    """Read a YAML file into ``kind``, after setting each ``section.key=value`` of ``overrides``.

    ``source`` may also be what such a file holds, which errors call by ``name``. Values of
    overrides are YAML too. Raises :class:`UserError`, one line, for whatever is wrong with the file
    or an override.
    """
    if isinstance(source, Mapping):
        path, values = name, copy.deepcopy(dict(source))
    else:
        path, values = os.fspath(source), read_mapping(source)
    if hasattr(kind, "moved"):
        values = upgraded(kind, values, path)
    overridden = [_override(kind, values, text, path) for text in overrides]
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems: dict[str, list[str]] = {}
        for item in error.errors()[:_MOST_PROBLEMS]:
            problems.setdefault(_source(item, path, overridden), []).append(_problem(kind, item))
        texts = (f"{source}: {'; '.join(found)}" for source, found in problems.items())
        raise UserError(" | ".join(texts)) from None


def read_mapping(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a YAML file that holds a mapping. Raises :class:`UserError` if it does not."""
    try:
        text = read_regular(path, MOST_BYTES).decode()
    except OSError as error:
        raise UserError(f"{path}: cannot read the config: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text file: byte {error.start} is not UTF-8") from None
    values = parse_yaml(text, str(path))
    if values is None:
        raise UserError(f"{path}: the config is empty")
    if not isinstance(values, dict):
        raise UserError(f"{path}: the config must be a mapping of sections, not {_shown(values)}")
    return values


def upgraded(kind: type[BaseModel], values: dict[str, Any], source: object) -> dict[str, Any]:
    """Bring what a config file holds to the newest format, in place, and take its number out.

    A file without a number is of format 1. Keys of ``kind.moved`` take their new places, see
    `gnn_nas.config.RunConfig`.

    Raises:
        UserError: names ``source``, whose format is a newer one or none.
    """
    moves = getattr(kind, "moved", ())
    newest, given = 1 + len(moves), values.pop("format", 1)
    if type(given) is not int or given < 1:
        raise UserError(f"{source}: format must be an integer from 1 to {newest}: {_shown(given)}")
    if given > newest:
        raise UserError(
            f"{source} was written by a newer version of gnn_nas (format {given}; this one reads up"
            f" to {newest}): update it"
        )
    for moved in moves[given - 1 :]:
        for old, new in moved.items():
            _move(values, old, new)
    return values


def _move(values: dict[str, Any], old: str, new: str) -> None:
    """Move a dotted key, where it is there and its new place is free."""
    *sections, last = old.split(".")
    source: Any = values
    for section in sections:
        source = source.get(section) if isinstance(source, dict) else None
    if not isinstance(source, dict) or last not in source:
        return
    *sections, name = new.split(".")
    target: Any = values
    for section in sections:
        target = target.setdefault(section, {}) if isinstance(target, dict) else None
    if isinstance(target, dict) and name not in target:
        target[name] = source.pop(last)


def optional_keys(kind: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Give the keys that a file may lack, dotted, each with the value that it has then."""
    keys: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        for part in (field.annotation, *get_args(field.annotation)):
            if hasattr(part, "model_fields"):
                keys |= optional_keys(part, f"{prefix}{name}.")
        if not field.is_required() and not field.exclude:
            keys[prefix + name] = field.default
    return keys


def _override(
    kind: type[BaseModel], values: dict[str, Any], text: str, path: str | os.PathLike[str]
) -> str:
    """Set one ``section.key=value`` in ``values`` and give its key."""
    key, equals, value = text.partition("=")
    key, text = key.strip(), shortened(text)
    # A command of a user may be older than the format.
    for moved in getattr(kind, "moved", ()):
        key = moved.get(key, key)
    *sections, last = key.split(".")
    if not equals or not all((*sections, last)) or len(sections) > MOST_LEVELS:
        raise UserError(f"--set {text}: expected [section.]key=value")
    target = values
    for depth, section in enumerate(sections):
        target = target.setdefault(section, {})
        if not isinstance(target, dict):
            inner = ".".join(sections[: depth + 1])
            raise UserError(
                f"--set {text}: {inner} is {_shown(target)} in {path}, so it has no keys to set"
            )
    target[last] = parse_yaml(value, f"--set {text}")
    return key


def _source(item: Any, path: str | os.PathLike[str], overridden: list[str]) -> str:
    """Say who is to blame for one of pydantic's findings: the file or an override."""
    key = ".".join(str(part) for part in item["loc"])
    for name in overridden:
        related = f"{key}.".startswith(f"{name}.") or f"{name}.".startswith(f"{key}.")
        if related and item["type"] != "missing":
            return "--set"
    return str(path)


def _problem(kind: type[BaseModel], item: Any) -> str:
    """Say one of pydantic's findings in our words: where, what, and what would be right."""
    key = shortened(".".join(str(part) for part in item["loc"]))
    given, context = _shown(item["input"]), item.get("ctx", {})
    if not key:
        # A key that is no text, or several that do not go together.
        return item["msg"].removeprefix("Value error, ")
    match item["type"]:
        case "extra_forbidden":
            allowed = list(_section_at(kind, item["loc"][:-1]).model_fields)
            close = difflib.get_close_matches(str(item["loc"][-1]), allowed, n=1)
            hint = f", did you mean {close[0]}?" if close else ""
            return f"unknown key {key}{hint} (allowed: {', '.join(allowed) or 'none'})"
        case "missing":
            return f"{key} is missing{_purpose(kind, item['loc'])}"
        case "literal_error":
            return f"{key} must be {context['expected']}, not {given}"
        case "value_error":
            return f"{key}: {context['error']}"
        case "model_type" | "dict_type":
            wanted = "a mapping of keys to values"
        case "int_type" | "int_from_float":
            wanted = "an integer"
        case "float_type":
            wanted = "a number"
        case "string_type":
            wanted = "a string"
        case _:
            # Bounds: "Input should be greater than or equal to 1".
            wanted = item["msg"].removeprefix("Input should be ")
    return f"{key} must be {wanted}, not {given}{_purpose(kind, item['loc'])}"


def _section_at(kind: type[BaseModel], location: Iterable[Any]) -> type[BaseModel]:
    for part in location:
        annotation = kind.model_fields[part].annotation
        # An optional section is a union of the section and None.
        kind = next(c for c in (annotation, *get_args(annotation)) if hasattr(c, "model_fields"))
    return kind


def _purpose(kind: type[BaseModel], location: tuple[Any, ...]) -> str:
    *sections, last = location
    description = None
    with suppress(StopIteration, KeyError):  # an entry of a list or of a mapping has none
        description = _section_at(kind, sections).model_fields[last].description
    return f" ({description})" if description else ""


def _shown(value: Any) -> str:
    """Give a value as YAML would write it, shortened, with its type where that is not plain."""
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = shortened(str(value))
    return f"the text {text!r}" if isinstance(value, str) else text
