"""Plain YAML: what a config may be written in, read without surprises."""

import math
import re
from typing import Any

import yaml

from gnn_nas.errors import UserError

MOST_LEVELS = 32
"""Levels of mappings and lists in one another."""
_EXPONENT = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+"
_DECIMAL = re.compile(rf"[-+]?(0|[1-9][0-9]*|[0-9]+\.[0-9]*|\.[0-9]+|{_EXPONENT})")


def parse_yaml(text: str, source: str) -> Any:
    """Parse YAML text. Raises :class:`UserError` that names ``source`` and the line."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UserError(f"{source}: line {mark.line + 1}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # Control characters and escapes beyond Unicode carry no line.
        reason = " ".join(str(error).split())
        raise UserError(f"{source}: not YAML: {reason}") from None


def dump_yaml(values: dict[str, Any]) -> str:
    """Give YAML text that `gnn_nas.config_file.read_mapping` reads back to equal values."""
    # In ASCII: PyYAML writes some Unicode line breaks so that it reads them back as spaces.
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False)


def shortened(text: str) -> str:
    """Give a text as it is quoted in a message: in one line, and not for ever."""
    text = " ".join(text.split())
    return text if len(text) <= 100 else text[:97] + "..."


class _Loader(yaml.SafeLoader):
    """The plain part of YAML: no aliases or tags, decimal numbers, every key once and a string.

    Aliases multiply without end, tags construct by other rules than a value's look, and YAML 1.1
    reads 010 as 8 and 1:30 as 90; whoever means a text puts it in quotes.
    """

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _refused("anchors and aliases are not taken: write the value out", event)
        if event.tag is not None:
            raise _refused(f"the tag {shortened(event.tag)} is not taken: leave it out", event)
        if self._depth == MOST_LEVELS:
            raise _refused(f"more than {MOST_LEVELS} levels", event)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key_node, _ in node.value:
            # YAML 1.1 takes these for booleans, which no key is.
            if key_node.value in ("on", "off", "yes", "no"):
                key_node.tag = "tag:yaml.org,2002:str"
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _refused(f"the key {shortened(str(key))} is not a string", key_node)
            if key in seen:
                raise _refused(f"the key {shortened(key)} is given twice", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_number(self, node: yaml.ScalarNode) -> int | float:
        text = node.value
        if text.lower().lstrip("+-") in (".inf", ".nan"):
            return self.construct_yaml_float(node)
        if not _DECIMAL.fullmatch(text):
            raise _refused(
                f"{shortened(text)} is no plain decimal number; a text is put in quotes", node
            )
        number = float(text)
        if math.isinf(number):
            raise _refused(f"{shortened(text)} is too large for a number", node)
        return int(text) if text.lstrip("+-").isdigit() else number

    def construct_text(self, node: yaml.ScalarNode) -> str:
        text = self.construct_yaml_str(node)
        # From an escape such as "\ud800"; it can neither be written nor shown.
        if not text.isascii() and re.search("[\ud800-\udfff]", text):
            raise _refused("half a surrogate pair is no character", node)
        return text

    def refuse(self, node: yaml.ScalarNode) -> None:
        kind = "date" if node.tag.endswith("timestamp") else "sign of its own in YAML"
        raise _refused(f"{shortened(node.value)} is a {kind}; a text is put in quotes", node)


for _kind, _construct in {
    "int": _Loader.construct_number,
    "float": _Loader.construct_number,
    "str": _Loader.construct_text,
    "timestamp": _Loader.refuse,
    "merge": _Loader.refuse,
    "value": _Loader.refuse,
}.items():
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _construct)


class _Dumper(yaml.SafeDumper):
    """Quotes the strings that :class:`_Loader` would take for floats."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _class in (_Loader, _Dumper):
    _class.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(rf"[-+]?{_EXPONENT}$"),
        list("-+.0123456789"),
    )


def _refused(problem: str, place: yaml.Event | yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)
