"""What may stand in a config file and after ``--set``: plain YAML, and nothing that surprises."""

from __future__ import annotations

import os
import random
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from gnn_nas.config import load_config
from gnn_nas.config_file import MOST_BYTES, read_mapping
from gnn_nas.errors import UserError
from gnn_nas.plain_yaml import dump_yaml, parse_yaml
from gnn_nas.run_folder import RunFolder

CONFIG = Path(__file__).parents[2] / "configs" / "gin_multisim.yaml"
TEXT = CONFIG.read_text()
LAUGHS = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(UserError) as refusal:
        call()
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 2000
    return str(refusal.value)


@pytest.mark.parametrize(
    "value",
    [
        *("&a 1", "*a", "[&a x, *a]", "&a [*a]", "{<<: {a: 1}}", "<<", "="),
        *("!!bool maybe", "!!timestamp abc", "!!int ''", "!!float ''", "!!int x", "!!null x"),
        *("!!binary =", "!!set {a}", "!!omap [a: 1]", "!!pairs [a: 1]", "!!str 3", "! 3", "!x 3"),
        *("!!python/object/apply:os.system [id]", "!!python/name:os.system ''", "!<x> 3"),
        *("!!merge x", "!!value x", "!!map {}", "!!seq []"),
        *("010", "-010", "0x10", "0b11", "1_000", "1:30", "1:30:00", "190:20:30.15", "1_0.5"),
        *("0_1", "+0x1F", "1__0", "00", "1e400", "-1e400", "9" * 400, "9" * 5000, "1e999999"),
        *("2020-01-01", "2020-99-99", "2020-01-01T00:00:00Z", "0000-00-00", "2020-02-30 10:00:00"),
        *("[" * 50 + "]" * 50, "{a: " * 50 + "1" + "}" * 50, "[" * 100_000, "- " * 40, "{" * 3000),
        *('"\\ud800"', '"\\udfff"', '"\\UFFFFFFFF"', '"\\U00110000"', '"\\x"', '"\\q"', "'", '"'),
        *(
            "{a: 1, a: 2}",
            "{1: 2}",
            "{null: 1}",
            "{[a]: 1}",
            "{{a: 1}: 2}",
            "{true: 1}",
            "? a\n? a",
        ),
        *("\x00", "\x1b[31m", "\x07", "a\x7f", "\ufffe", "\x85\x00", "\ud800"),
        *(
            "%YAML 9.0\n---\n1",
            "%TAG ! x\n%TAG ! y\n---\n1",
            "--- 1\n--- 2",
            "@a",
            "`a",
            "%",
            "a: b: c",
        ),
        *("[1, 2", "{a", "|x", ">9 a", "\t- a", "&", "*", "!", "!!", "&a", "- *", "? ?"),
    ],
    ids=lambda value: ascii(value[:24]),
)
def test_what_is_not_plain_is_refused(value):
    assert "not YAML" in refused(lambda: parse_yaml(value, "--set a=b"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("0", 0), ("-5", -5), ("+5", 5), ("10", 10), ("9" * 300, int("9" * 300))),
        *(("1.5", 1.5), ("1.", 1.0), ("0.5", 0.5), ("1e3", 1e3), ("1E-3", 1e-3), ("5e-4", 5e-4)),
        *((".5", 0.5), ("-1.5e+3", -1500.0), ("1e308", 1e308), ("00.5", 0.5)),
        *(("'010'", "010"), ('"1:30"', "1:30"), ("0o17", "0o17"), ("08", "08"), ("1e", "1e")),
        *(("null", None), ("~", None), ("", None), ("true", True), ("off", False)),
        *(("[1, a]", [1, "a"]), ("{a: {b: 1}}", {"a": {"b": 1}}), ("1٣", "1٣"), ("٣", "٣")),
    ],
)
def test_what_is_plain_is_read(text, value):
    found = parse_yaml(text, "x")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "content",
    [
        LAUGHS,
        f"{LAUGHS}{TEXT}",
        TEXT.replace("seed: 0", "seed: &s 0"),
        TEXT.replace("seed: 0", "seed: !!int 0"),
        TEXT.replace("seed: 0", "seed: 010"),
        TEXT.replace("seed: 0", "seed: 1:30"),
        TEXT.replace("seed: 0", f"seed: {'9' * 400}"),
        TEXT.replace("seed: 0", "seed: 0\nseed: 1"),
        TEXT + "\n---\n" + TEXT,
        TEXT + "#" * MOST_BYTES,
        "a: " * 40_000,
        "- [" * 30_000,
        "{a: 1, " * 5,
        "a: |\n" + " x\n" * 30_000,
        "? " * 40_000,
        "'" + "\n" * 90_000,
        "".join(f"k{n}: 1\n" for n in range(4000)),
        "".join(f"k{n}: {{\n" for n in range(4000)),
        "\x00" * 1000,
        "\ufeff\ufeff" + TEXT,
    ],
    ids=lambda content: ascii(content[:16]),
)
@pytest.mark.parametrize("place", ["config", "run folder"])
def test_hostile_files_are_refused_soon(tmp_path, content, place):
    folder = tmp_path / "run"
    folder.mkdir()
    path = folder / "config.yaml"
    path.write_text(content, encoding="utf-8")
    if place == "config":
        assert refused(lambda: load_config(path)).startswith(str(path))
    else:
        config = load_config(CONFIG)
        assert str(folder) in refused(lambda: RunFolder.create(folder, config, resume=True))
    assert os.listdir(folder) == ["config.yaml"]


@pytest.mark.parametrize(
    "content", [b"\xff\xfea\x00", b"\x80", b"seed: \xc3", b"\xed\xa0\x80", bytes(range(256))]
)
def test_bytes_that_are_no_text(tmp_path, content):
    path = tmp_path / "config.yaml"
    path.write_bytes(content)
    assert refused(lambda: load_config(path)).startswith(f"{path}: not a text file")


@pytest.mark.parametrize(
    "kind", ["fifo", "zero", "random", "folder", "loop", "absent", "name", "nul"]
)
def test_what_is_no_file_is_no_config(tmp_path, kind):
    path = tmp_path / "config.yaml"
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "zero" | "random":
            path.symlink_to(f"/dev/{kind}")
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path.name)
        case "name":
            path = tmp_path / ("a" * 300)
        case "nul":
            path = Path(f"{tmp_path}/a\x00b")
    assert "cannot read the config" in refused(lambda: load_config(path))


@pytest.mark.parametrize(
    "override",
    [
        *("", "=", "seed", "=3", ".=3", "seed.=3", ".seed=3", "a..b=3", "seed=", "seed= ", "a b=1"),
        *("." * 50_000 + "=1", "a." * 50_000 + "a=1", "metric.loss_args." + "a." * 40 + "a=1"),
        *("seed=010", "seed=1:30", "seed=!!int 3", "seed=&a 3", "seed=1e400", "seed=2020-01-01"),
        *("metric.loss_args={a: &a 1, b: *a}", "metric.loss_args={a: {b: .nan}}", "metric={}"),
        *("metric.loss_args={a: 2020-01-01}", "optimizer.args={a: .inf}", "optimizer.args=[1]"),
        *("\x1b[31m=1", "seed=\x1b[31m", "model.hidden.a=1", "metric.loss_args=null", "model=null"),
    ],
    ids=lambda value: ascii(value[:24]),
)
def test_overrides_that_are_none(override):
    refused(lambda: load_config(CONFIG, [override]))


def mutated(seed: int) -> str:
    """The shipped config with its text changed at random, somewhere between keys and values."""
    draw = random.Random(seed)
    lines = TEXT.splitlines()
    for _ in range(draw.randint(1, 3)):
        place = draw.randrange(len(lines))
        line = lines[place]
        match draw.randrange(6):
            case 0:
                spot = draw.randrange(len(line) + 1)
                lines[place] = line[:spot] + draw.choice(string.printable) + line[spot:]
            case 1:
                spot = draw.randrange(len(line) + 1)
                lines[place] = line[:spot] + line[spot + 1 :]
            case 2:
                lines.insert(draw.randrange(len(lines)), line)
            case 3:
                del lines[place]
                lines = lines or [""]
            case 4:
                lines[place] = draw.choice(["  ", "\t", "- ", "? ", "&a ", "!!x ", "# "]) + line
            case 5:
                key, _, _ = line.partition(":")
                odd = ["010", "*a", "[", "{}", "''", "|", "1:30", "nan", "~", "-1", "1e400", "\x7f"]
                lines[place] = f"{key}: {draw.choice(odd)}"
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("seed", range(150))
def test_changed_text_is_refused_or_a_config_that_reads_back(tmp_path, seed):
    path = tmp_path / "config.yaml"
    path.write_text(mutated(seed), encoding="utf-8")
    refusal = None
    try:
        config = load_config(path)
    except UserError as error:
        refusal = str(error)
    if refusal is not None:
        assert refusal.startswith(str(path))
        assert "\n" not in refusal
        return
    path.write_text(config.to_yaml(), encoding="utf-8")
    assert load_config(path) == config
    assert read_mapping(path) == {"format": 2, **config.model_dump()}


@pytest.mark.parametrize("seed", range(60))
def test_changed_bytes_never_trouble_the_reader(tmp_path, seed):
    draw = random.Random(1000 + seed)
    content = bytearray(TEXT.encode())
    for _ in range(draw.randint(1, 20)):
        content[draw.randrange(len(content))] = draw.randrange(256)
    path = tmp_path / "config.yaml"
    path.write_bytes(bytes(content))
    refusal = ""
    try:
        values = read_mapping(path)
        assert parse_yaml(dump_yaml(values), "again") == values or "nan" in str(values)
    except UserError as error:
        refusal = str(error)
    assert "\n" not in refusal
