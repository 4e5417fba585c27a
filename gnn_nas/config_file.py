"""YAML files into checked configuration objects, with errors that a user can act on."""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from gnn_nas.errors import UserError

Config = TypeVar("Config", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """YAML 1.2 floats (``1e-3`` is a string in YAML 1.1); a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key} is not a string", problem_mark=key_node.start_mark
                )
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key} is given twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Quotes the strings that :class:`_Loader` would take for floats."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
        list("-+.0123456789"),
    )


def load(kind: type[Config], path: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Read a YAML file into ``kind``, after setting each ``section.key=value`` of ``overrides``.

    Values of overrides are YAML too. Raises :class:`UserError`, one line, for whatever is wrong
    with the file or an override.
    """
    values = read_mapping(path)
    overridden = [_override(values, text, path) for text in overrides]
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        problems: dict[str, list[str]] = {}
        for item in error.errors():
            problems.setdefault(_source(item, path, overridden), []).append(_problem(kind, item))
        texts = (f"{source}: {'; '.join(found)}" for source, found in problems.items())
        raise UserError(" | ".join(texts)) from None
    except RecursionError:
        raise UserError(f"{path}: the config contains itself") from None


def read_mapping(path: str | Path) -> dict[str, Any]:
    """Read a YAML file that holds a mapping. Raises :class:`UserError` if it does not."""
    try:
        text = Path(path).read_text(encoding="utf-8")
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


def dump_yaml(values: dict[str, Any]) -> str:
    """Give YAML text that :func:`read_mapping` reads back to equal values."""
    # In ASCII: PyYAML writes some Unicode line breaks so that it reads them back as spaces.
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False)


def parse_yaml(text: str, source: str) -> Any:
    """Parse YAML text. Raises :class:`UserError` that names ``source`` and the line."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UserError(f"{source}: line {mark.line + 1}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # Control characters, dates such as 2020-99-99 and absurd nesting carry no line.
        reason = " ".join(str(error).split())
        raise UserError(f"{source}: not YAML: {reason}") from None


def _override(values: dict[str, Any], text: str, path: str | Path) -> str:
    """Set one ``section.key=value`` in ``values`` and give its key."""
    key, equals, value = text.partition("=")
    key = key.strip()
    *sections, last = key.split(".")
    if not equals or not all((*sections, last)):
        raise UserError(f"--set {text}: expected section.key=value")
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


def _source(item: Any, path: str | Path, overridden: list[str]) -> str:
    """Say who is to blame for one of pydantic's findings: the file or an override."""
    key = ".".join(str(part) for part in item["loc"])
    for name in overridden:
        related = f"{key}.".startswith(f"{name}.") or f"{name}.".startswith(f"{key}.")
        if related and item["type"] != "missing":
            return "--set"
    return str(path)


def _problem(kind: type[BaseModel], item: Any) -> str:
    """Say one of pydantic's findings in our words: where, what, and what would be right."""
    key = ".".join(str(part) for part in item["loc"])
    given, context = _shown(item["input"]), item.get("ctx", {})
    match item["type"]:
        case "extra_forbidden":
            allowed = list(_section_at(kind, item["loc"][:-1]).model_fields)
            close = difflib.get_close_matches(str(item["loc"][-1]), allowed, n=1)
            hint = f", did you mean {close[0]}?" if close else ""
            return f"unknown key {key}{hint} (allowed: {', '.join(allowed)})"
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
    description = _section_at(kind, location[:-1]).model_fields[location[-1]].description
    return f" ({description})" if description else ""


def _shown(value: Any) -> str:
    """Give a value as YAML would write it, shortened, with its type where that is not plain."""
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"the text {text!r}" if isinstance(value, str) else text
