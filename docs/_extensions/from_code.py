"""Directives whose content is read from the code: the commands' help, and the configs' keys."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from gnn_nas.cli.main import VERBS
from gnn_nas.search.methods import METHODS, get_method


class Commands(SphinxDirective):
    """A section for every command, with its help."""

    def run(self) -> list[nodes.Node]:
        return [self._section(verb, *VERBS[verb]) for verb in VERBS]

    def _section(self, verb: str, module: str, about: str) -> nodes.section:
        title = f"gnn-nas {verb}"
        section = nodes.section(ids=[nodes.make_id(title)], names=[title])
        section += nodes.title(title, title)
        section += nodes.paragraph(about, f"{about[0].upper()}{about[1:]}.")
        text = importlib.import_module(f"gnn_nas.cli.{module}").parser().format_help()
        section += nodes.literal_block(text, text, language="text")
        return section


class ConfigKeys(SphinxDirective):
    """A table of all keys of the pydantic model that is named."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module, _, name = self.arguments[0].rpartition(".")
        schema = getattr(importlib.import_module(module), name).model_json_schema()
        return _parsed(self, _table(schema))


class MethodSettings(SphinxDirective):
    """A table of the settings of every search method that has any."""

    def run(self) -> list[nodes.Node]:
        lines = []
        for name in METHODS:
            schema = get_method(name).Settings.model_json_schema()
            if schema["properties"]:
                lines += [f"**`--method {name}`**", "", *_table(schema), ""]
        return _parsed(self, lines)


def _parsed(directive: SphinxDirective, lines: list[str]) -> list[nodes.Node]:
    parent = nodes.container()
    directive.state.nested_parse(StringList(lines), directive.content_offset, parent)
    return parent.children


def _table(schema: dict[str, Any]) -> list[str]:
    rows: dict[str, str] = {}
    for key, field in _fields(schema, schema.get("$defs", {})):
        # Of a section of several kinds, as an encoder is, the first kind tells of a common key.
        rows.setdefault(key, f"| `{key}` | {_allowed(field)} | {field.get('description', '')} |")
    return ["| key | value | what it is |", "|---|---|---|", *rows.values()]


def _fields(
    schema: dict[str, Any], named: dict[str, Any], prefix: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """All keys of a schema, those of its sections after them."""
    for key, field in schema["properties"].items():
        yield prefix + key, field
        for part in (field, *field.get("anyOf", ())):
            if "$ref" in part:
                section = named[part["$ref"].rpartition("/")[2]]
                yield from _fields(section, named, f"{prefix}{key}.")


def _allowed(field: dict[str, Any]) -> str:
    """Which values a field may have, in words."""
    if "anyOf" in field:
        kinds = list(dict.fromkeys(map(_allowed, field["anyOf"])))
    elif "enum" in field or "const" in field:
        values = field.get("enum", [field.get("const")])
        kinds = [f"`{value}`" for value in values]
    elif "$ref" in field:
        kinds = ["section"]
    else:
        names = {"object": "mapping", "string": "text", "integer": "whole number"}
        names |= {"boolean": "`true`, `false`"}
        kinds = [
            names.get(field.get("type", ""), field.get("type", "any")).replace("null", "`null`")
        ]
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    kinds[0] += "".join(
        f", {sign}\N{NO-BREAK SPACE}{field[bound]:,}"
        for bound, sign in bounds.items()
        if bound in field
    )
    default = f"; default `{field['default']}`" if "default" in field else ""
    return " or ".join(kinds) + default


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("commands", Commands)
    app.add_directive("config-keys", ConfigKeys)
    app.add_directive("method-settings", MethodSettings)
    return {"parallel_read_safe": True}
