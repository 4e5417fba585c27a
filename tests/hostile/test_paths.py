"""Whatever a path is, and wherever it is given: refused in one line, and nothing is written."""

from __future__ import annotations

import importlib
import json
import os
import random
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from gnn_nas.benchmarks.locate import benchmark_path
from gnn_nas.cli.common import run_guarded
from gnn_nas.errors import UserError
from gnn_nas.spaces import table as table_module
from gnn_nas.spaces.table import load_table
from gnn_nas.terminal import printable
from gnn_nas.user_folders import cache_folder, data_folder
from tests.helpers.unprivileged import unprivileged

CONFIGS = Path(__file__).parents[2] / "configs"
TASKS = CONFIGS / "tasks"
CONFIG = str(CONFIGS / "gin_multisim.yaml")

# What is given, beside the option at which the path stands.
COMMANDS = {
    "pretrain": [f"--config={CONFIG}", "--out=new"],
    "search": ["--benchmark=data", "--out=new"],
    "compare": ["--benchmark=data", "--out=new", "--losses=multisim", f"--configs={CONFIGS}"],
    "predictor_quality": ["--benchmark=data", "--out=new"],
    "embed_umap": ["--benchmark=data", "--out=new"],
    "locality": ["--benchmark=data", "--out=new"],
    "export_cell": ["--out=new"],
    "import_nasbench": ["--out=new"],
}
# Those of files that are read; what is no file of theirs is refused, whatever its name.
READ = [
    ("pretrain", "--config="),
    ("search", "--checkpoint="),
    ("search", "--benchmark="),
    ("search", "--task="),
    ("compare", "--configs="),
    ("compare", "--checkpoints="),
    ("compare", "--benchmark="),
    ("predictor_quality", "--checkpoint="),
    ("predictor_quality", "--benchmark="),
    ("embed_umap", "--checkpoint="),
    ("embed_umap", "--benchmark="),
    ("locality", "--checkpoint="),
    ("locality", "--benchmark="),
    ("export_cell", "--from="),
    ("export_cell", "--weights="),
    ("import_nasbench", ""),
]
WRITTEN = [(name, "--out=") for name in COMMANDS if name != "compare"]

# Paths that nothing can be, and paths that are something else.
IMPOSSIBLE = {
    "too long a name": "x" * 300,
    "too long in all": "/".join(["d" * 200] * 30),
    "too long below a folder": "folder/" + "x" * 4000,
    "in a file": "file/x",
    "deep in a file": "file/x/y/z",
    "in a loop of links": "loop/x",
    "a loop of links": "loop",
    "in an unreadable folder": "locked/x",
    "a folder of the system": "/proc/self/x",
    "a NUL": "a\0b",
    "a NUL in a folder": "folder/\0",
}
ELSEWHERE = {
    "absent": "absent",
    "absent, dots": "absent/../../absent",
    "a file": "file",
    "an empty folder": "folder",
    "a folder of others": "others",
    "a link to nothing": "dangling",
    "an unreadable file": "locked",
    "nothing": "",
    "the root": "/",
    "nowhere": "/dev/null",
    "full": "/dev/full",
    "zeros": "/dev/zero",
    "escapes": "\x1b[31mred\x1b]0;title\x07",
    "lines": "two\nlines\r\u2028of it",
    "directions": "\u202egnp.x",
    "no UTF-8": os.fsdecode(b"\xff\xfe"),
    "braces": "{x}[/]%s",
    "a home": "~nobody/x",
    "an option": "--help-",
}


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """What commands import late is imported, so that no import meets the unreadable."""
    for name in (
        "gnn_nas.plots.maps.embedding_map",
        "gnn_nas.benchmarks.importing",
        "gnn_nas.models.checkpoint",
        "gnn_nas.tasks.image_task",
        "gnn_nas.tasks.network_files",
        "gnn_nas.tasks.network_files",
        "gnn_nas.plots.draw",
    ):
        importlib.import_module(name)


@pytest.fixture
def cwd(monkeypatch) -> Iterator[Path]:
    """A folder with something of every kind."""
    folder = Path(tempfile.mkdtemp(prefix="paths-"))
    folder.chmod(0o777)
    monkeypatch.chdir(folder)
    # Processes would be started for nothing.
    monkeypatch.setattr("gnn_nas.cli.search_rewards.Workers", lambda count: nullcontext())
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "none"))
    Path("file").write_text("words")
    Path("data").write_text("words")
    Path("folder").mkdir()
    Path("others").mkdir()
    Path("others", "thesis.tex").write_text("words")
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("absent")
    Path("locked").mkdir(mode=0)
    yield folder
    folder.joinpath("locked").chmod(0o700)
    shutil.rmtree(folder)


def call(refuses, name: str, option: str, path: str) -> str:
    """Let a command refuse a path, and give the line with which it does."""
    main = importlib.import_module(f"gnn_nas.cli.{name}").main
    given = [each for each in COMMANDS[name] if not option or not each.startswith(option)]
    if option == "--task=":
        given = ["--out=new"]
    if name == "export_cell" and option != "--from=":
        given.append("00005c14")
    if name == "import_nasbench" and option:
        given.append("data")
    before = sorted(os.listdir())
    with unprivileged() if path.startswith("locked") else nullcontext():
        line = refuses(main, *given, f"{option}{path}")
    assert sorted(os.listdir()) == before
    return line


def is_blamed(path: str, line: str) -> bool:
    """Whether a line says that it is about this path."""
    starts = [" ".join(each.split())[:40] for each in (path, str(Path(path)))]
    shown = [shape(start) for start in starts for shape in (printable, lambda s: repr(s)[1:-1])]
    return any(start in line for start in shown) or "NUL" in line


@pytest.mark.parametrize("kind", [*IMPOSSIBLE, *ELSEWHERE])
@pytest.mark.parametrize(("name", "option"), READ, ids=lambda text: text.strip("-=") or "file")
def test_a_path_that_is_read(refuses, cwd, name, option, kind):
    path = (IMPOSSIBLE | ELSEWHERE)[kind]
    if (option, kind) == ("", "an option") or (option, path) == ("--task=", ""):
        pytest.skip("is the absence of the option")
    if option == "--checkpoints=" and kind in (
        "an empty folder",
        "a folder of others",
        "the root",
        "nothing",
    ):
        pytest.skip("is where none of the checkpoints is yet")
    if option == "--benchmark=" and kind == "an unreadable file":
        pytest.skip("comes after the cache, which the unprivileged may not read here")
    assert is_blamed(path, call(refuses, name, option, path))


@pytest.mark.parametrize("kind", [*IMPOSSIBLE, "a file", "nowhere", "full", "a folder of others"])
@pytest.mark.parametrize(("name", "option"), WRITTEN, ids=lambda text: text.strip("-="))
def test_a_path_that_is_written(refuses, cwd, name, option, kind):
    path = (IMPOSSIBLE | ELSEWHERE)[kind]
    if name == "import_nasbench":
        if kind in ("a file", "a loop of links"):
            pytest.skip("is replaced by an import")
        path = f"{path}/" if kind == "a folder of others" else path
    assert is_blamed(path, call(refuses, name, option, path))


# What a name may be made of: in most of them something is wrong.
_PIECES = [
    *("a", "x" * 255, "x" * 256, "é" * 200, ".", "..", "~", "-", "--out", " ", "\n", "\t", "\r"),
    *("\x1b[2J", "\x1b]0;x\x07", "\0", "\x7f", "\x9b", "\u200b", "\u202e", "\udc80", "\udcff"),
    *(
        "file",
        "folder",
        "loop",
        "dangling",
        "others",
        "%s",
        "{}",
        "[/]",
        "$HOME",
        "*",
        ":",
        "'",
        '"',
    ),
]


def _drawn(seed: int) -> tuple[str, str, str]:
    """A command, an option of a file that is read, and a path of pieces that is not there."""
    draw = random.Random(seed)
    name, option = draw.choice(READ)
    pieces = [
        "".join(draw.choices(_PIECES, k=draw.randint(1, 3))) for _ in range(draw.randint(1, 6))
    ]
    return name, option, "/".join(["absent", *pieces])


@pytest.mark.parametrize("seed", range(150))
def test_a_drawn_path(refuses, cwd, seed):
    name, option, path = _drawn(seed)
    assert is_blamed(path, call(refuses, name, option, path))


@pytest.mark.parametrize("kind", [*IMPOSSIBLE, *ELSEWHERE])
def test_images_of_a_task(refuses, cwd, kind):
    source = (IMPOSSIBLE | ELSEWHERE)[kind]
    if source.startswith("locked"):
        pytest.skip("is tried for images in the task's own tests")
    text = (TASKS / "images.yaml").read_text()
    line = f"  source: {json.dumps(source)}"
    Path("task.yaml").write_text(re.sub(r"^  source: .*$", lambda _: line, text, flags=re.M))
    answer = call(refuses, "search", "--task=", "task.yaml")
    assert answer.startswith("error: task.yaml: ")


@pytest.mark.parametrize("kind", IMPOSSIBLE)
@pytest.mark.parametrize("variable", ["GNN_NAS_BENCHMARK", "GNN_NAS_CACHE", "XDG_DATA_HOME"])
def test_a_folder_of_the_environment(refuses, cwd, monkeypatch, variable, kind):
    path = IMPOSSIBLE[kind]
    if "\0" in path:
        pytest.skip("no variable can hold it")
    monkeypatch.setenv(variable, path)

    def main(_: list[str]) -> int:
        return run_guarded(load_table if variable == "GNN_NAS_CACHE" else benchmark_path)

    with unprivileged() if path.startswith("locked") else nullcontext():
        refuses(main)


def test_a_cache_that_cannot_be_written_is_found_before_anything_is_computed(monkeypatch):
    monkeypatch.setattr(table_module, "_build", lambda *_: pytest.fail("was computed"))
    monkeypatch.setenv("GNN_NAS_CACHE", "/proc")
    with pytest.raises(UserError, match=r"cannot write the cache folder /proc .*GNN_NAS_CACHE"):
        load_table()


def test_without_a_home_the_variable_to_set_is_said(monkeypatch):
    for name in ("GNN_NAS_CACHE", "XDG_CACHE_HOME", "XDG_DATA_HOME", "GNN_NAS_BENCHMARK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    for folder, variable in ((cache_folder, "GNN_NAS_CACHE"), (data_folder, "XDG_DATA_HOME")):
        with pytest.raises(UserError, match=f"no home folder: set {variable} to"):
            folder()
