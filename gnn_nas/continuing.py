"""Whether a run goes on with the config that it was begun with, or with a larger one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.config_file import optional_keys, read_mapping, upgraded
from gnn_nas.errors import UserError
from gnn_nas.plain_yaml import parse_yaml, shortened

if TYPE_CHECKING:
    from gnn_nas.config import RunConfig

# Values in which configs differ, in a message.
_MOST_NAMED = 10


def grown_keys(begun_with: Path, config: RunConfig, may_grow: Collection[str]) -> list[str]:
    """Give the keys of ``may_grow`` whose numbers are larger now than in the file of a begun run.

    Args:
        begun_with: the run's ``config.yaml``.
        config: what it is to go on with.
        may_grow: dotted keys of numbers.

    Raises:
        UserError: the file cannot be read, or the configs differ in anything else.
    """
    kind = type(config)
    begun = _flat(upgraded(kind, read_mapping(begun_with), begun_with))
    # A section may be absent, or a name stand for it.
    sections = {key.rpartition(".")[0] for key in begun}
    lacking = {
        key: value
        for key, value in optional_keys(kind).items()
        if key not in sections and key.rpartition(".")[0] in {"", *sections}
    }
    written = parse_yaml(config.to_yaml(), "the given config")
    asked = _flat(upgraded(kind, written, "the given config"))
    lacking |= {key: value for key, value in kind.absent.items() if key in asked}
    begun = {**lacking, **begun}
    differing = [
        key
        for key in sorted(begun.keys() | asked.keys())
        if key not in begun or key not in asked or not _is_same(begun[key], asked[key])
    ]
    grown = [
        key
        for key in differing
        if key in may_grow and type(begun.get(key)) is int and asked[key] > begun[key]
    ]
    if differing != grown:
        named = "; ".join(
            f"{shortened(key)} was {shortened(str(begun.get(key, 'absent')))},"
            f" now {shortened(str(asked.get(key, 'absent')))}"
            for key in differing[:_MOST_NAMED]
        )
        more = "; ..." if len(differing) > _MOST_NAMED else ""
        raise UserError(
            f"{begun_with.parent} was begun with another config ({named}{more}):"
            " resume with its own, or give another --out"
        )
    return grown


def _is_same(begun: Any, asked: Any) -> bool:
    # What identifies a benchmark ended without a checksum before.
    return begun == asked or str(asked).startswith(f"{begun}, checksum ")


def _flat(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Give nested sections as one mapping with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in section.items():
        # An empty mapping has no keys to stand for it, so it stands for itself.
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
