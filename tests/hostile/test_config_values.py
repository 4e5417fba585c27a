"""Every key of every kind of config with values that it cannot have."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from gnn_nas.config import PretrainConfig
from gnn_nas.config_file import load, upgraded
from gnn_nas.errors import UserError
from gnn_nas.models.pretrained import SHIPPED
from gnn_nas.plain_yaml import dump_yaml
from gnn_nas.search import methods
from gnn_nas.tasks.config import ImageTaskConfig

ROOT = Path(__file__).parents[2]
FILES = {
    ROOT / "configs" / "gin_multisim.yaml": PretrainConfig,
    ROOT / "configs" / "gin_nometric.yaml": PretrainConfig,
    ROOT / "configs" / "paper_sgd.yaml": PretrainConfig,
    SHIPPED / "config.yaml": PretrainConfig,
    ROOT / "configs" / "tasks" / "images.yaml": ImageTaskConfig,
    ROOT / "configs" / "tasks" / "digits.yaml": ImageTaskConfig,
}
UGLY = [
    *(None, True, False, -1, 0, 1.5, -0.0, 1e300, -1e300, 1e-300, 2**63, 2**64, -(2**63), 10**300),
    *(
        math.nan,
        math.inf,
        -math.inf,
        "",
        "x",
        "0",
        "1e-3",
        "null",
        "../..",
        "a" * 5000,
        "é",
        "\x1b[2J",
    ),
    *([], [1], [[]], {}, {"x": 1}, {"hidden": None}, {"": ""}, [None, True, "x"], "\n", "\x00"),
]


def keys_of(values: dict[str, Any], before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    keys = []
    for key, value in values.items():
        keys.append((*before, key))
        if isinstance(value, dict):
            keys += keys_of(value, (*before, key))
    return keys


def content(path: Path) -> dict[str, Any]:
    """What a file holds, by the keys of the newest format."""
    return upgraded(FILES[path], yaml.safe_load(path.read_text()), path)


def write(target: Path, path: Path, values: dict[str, Any]) -> None:
    moved = getattr(FILES[path], "moved", ())
    target.write_text(dump_yaml({"format": 1 + len(moved), **values}), encoding="utf-8")


def mutations() -> list[tuple[Path, tuple[str, ...], Any]]:
    draw = random.Random(17)
    drawn = []
    for path in FILES:
        for key in keys_of(content(path)):
            drawn += [(path, key, value) for value in draw.sample(UGLY, 3)]
    return drawn


def changed(path: Path, key: tuple[str, ...], value: Any) -> dict[str, Any]:
    values = content(path)
    section = values
    for part in key[:-1]:
        section = section[part]
    section[key[-1]] = value
    return values


def refused_or(kind: type[BaseModel], path: Path) -> BaseModel | None:
    refusal = None
    try:
        return load(kind, path)
    except UserError as error:
        refusal = str(error)
    assert refusal.startswith(str(path))
    assert "\n" not in refusal
    assert len(refusal) < 3000
    return None


def finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    if isinstance(value, list):
        return all(map(finite, value))
    return not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize(
    ("path", "key", "value"),
    mutations(),
    ids=lambda part: part.stem if isinstance(part, Path) else ascii(part)[:40],
)
def test_any_value_is_refused_or_kept_as_it_is(tmp_path, path, key, value):
    target = tmp_path / "config.yaml"
    write(target, path, changed(path, key, value))
    config = refused_or(FILES[path], target)
    if config is None:
        return
    held = config.model_dump(exclude_unset=True)
    assert finite(held)
    for part in key:
        held = held[part]
    assert held == (float(value) if isinstance(held, float) else value)
    assert isinstance(held, bool) == isinstance(value, bool)
    # A whole number may stand for a real one; nothing else changes its kind.
    assert type(held) is type(value) or (type(value) is int and type(held) is float)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("change", ["missing", "misspelt", "more", "nested"])
def test_keys_missing_misspelt_or_too_many(tmp_path, path, change):
    draw = random.Random(str(path.name) + change)
    for key in draw.sample(keys_of(content(path)), 5):
        values = content(path)
        section = values
        for part in key[:-1]:
            section = section[part]
        match change:
            case "missing":
                del section[key[-1]]
            case "misspelt":
                section[key[-1][:-1] + "zz"] = section.pop(key[-1])
            case "more":
                values[key[0] + "_too"] = 1
            case "nested":
                section[key[-1]] = {"deep": {"deeper": section[key[-1]]}}
        target = tmp_path / "config.yaml"
        write(target, path, values)
        config = refused_or(FILES[path], target)
        assert config is None or is_optional(FILES[path], key, change)


def is_optional(kind: type[BaseModel], key: tuple[str, ...], change: str) -> bool:
    """Whether a config may do without the key, or may have anything there."""
    for part in key[:-1]:
        annotation = kind.model_fields[part].annotation
        sections = [each for each in (annotation, *get_args(annotation)) if is_section(each)]
        if not sections:
            return change != "more"  # an argument
        kind = sections[0]
    field = kind.model_fields[key[-1]]
    if change == "nested":
        return key[-1].endswith("args")
    return change == "missing" and not field.is_required()


def is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def setting_mutations() -> list[tuple[str, str, Any]]:
    draw = random.Random(18)
    return [
        (method, name, value)
        for method in methods.METHODS
        for name in methods.get_method(method).Settings.model_fields
        for value in draw.sample(UGLY, 4)
    ]


@pytest.mark.parametrize(
    ("method", "name", "value"), setting_mutations(), ids=lambda part: ascii(part)[:40]
)
def test_any_setting_of_a_method_is_refused_or_kept(method, name, value):
    text = f"{name}={dump_yaml(value)}".removesuffix("\n").removesuffix("\n...")
    refusal = None
    try:
        settings = load(methods.get_method(method).Settings, {}, [text])
    except UserError as error:
        refusal = str(error)
    if refusal is not None:
        assert "\n" not in refusal
        return
    held = getattr(settings, name)
    assert held == (float(value) if isinstance(held, float) else value)
    assert finite(held)
    assert isinstance(held, bool) == isinstance(value, bool)
