"""The configuration of a search: all that decides what it asks for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field, ValidationError

from gnn_nas.config import Section
from gnn_nas.errors import UserError
from gnn_nas.plain_yaml import dump_yaml, parse_yaml, shortened


class SearchConfig(Section):
    """Everything that decides a search, its seeds included."""

    method: str = Field(description="a module of gnn_nas.search.methods, with dashes")
    protocol: str = Field(description="what rewards and reports are")
    queries: int = Field(ge=1, description="evaluations each seed may ask for")
    seeds: int = Field(ge=1, description="how many independent searches")
    seed: int = Field(ge=0, lt=2**32, description="the first of them; the others follow")
    checkpoint: str | None = Field(description="a run folder, none, or null for the default")
    weights: str | None = Field(description="SHA-256 of its weights file; null without one")
    benchmark: str = Field(description="which measurements rewards come from")
    settings: dict[str, Any] = Field(description="the method's")

    @property
    def all_seeds(self) -> range:
        """The seeds, in order."""
        return range(self.seed, self.seed + self.seeds)

    def to_yaml(self) -> str:
        """Give the YAML text of ``config.yaml``."""
        return dump_yaml(self.model_dump())


class TaskSearchConfig(SearchConfig):
    """The same where rewards come from trainings instead of measurements."""

    protocol: Literal["task"] = Field(default="task", exclude=True)
    benchmark: None = Field(default=None, exclude=True)
    task: str = Field(description="what the task is called")
    fingerprint: str = Field(description="of all that decides a training")
    trainings: int = Field(ge=1, description="of every cell")
    task_settings: dict[str, Any] = Field(description="the task's")


def resolve_settings(kind: type[Section], overrides: Iterable[str]) -> Section:
    """A method's settings: its defaults but for each ``key=value``, its value in YAML.

    Raises:
        UserError: one line that names the override, the problem and what is allowed.
    """
    values = {}
    for text in overrides:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key:
            raise UserError(f"--set {shortened(text)}: expected key=value")
        values[key] = parse_yaml(value, f"--set {shortened(text)}")
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise UserError(
            "--set: " + "; ".join(_problem(kind, item) for item in error.errors())
        ) from None


def _problem(kind: type[Section], item: Any) -> str:
    key = ".".join(map(str, item["loc"]))
    if item["type"] != "extra_forbidden":
        what = item["msg"].removeprefix("Value error, ")
        return f"{key}: {what}, not {shortened(repr(item['input']))}" if key else what
    allowed = list(kind.model_fields)
    close = difflib.get_close_matches(key, allowed, n=1)
    hint = f", did you mean {close[0]}?" if close else ""
    return f"unknown key {key}{hint} (allowed: {', '.join(allowed) or 'none'})"
