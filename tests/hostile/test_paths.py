"""Whatever a path is, and wherever it is given: refused in one line, and nothing is written."""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

CONFIG = str(Path(__file__).parents[2] / "configs" / "gin_multisim.yaml")

# What is given, beside the option at which the path stands.
COMMANDS = {
    "pretrain": [f"--config={CONFIG}", "--out=new"],
    "nao_search": ["--benchmark=data", "--out=new"],
    "compare": ["--benchmark=data", "--out=new", "--losses=multisim"],
    "predictor_quality": ["--benchmark=data", "--out=new"],
    "embed_umap": ["--benchmark=data", "--out=new"],
    "locality": ["--benchmark=data", "--out=new"],
    "export_cell": ["--out=new"],
    "import_nasbench": ["--out=new"],
}
# Those of files that are read; what is no file of theirs is refused, whatever its name.
READ = [
    ("pretrain", "--config="),
    ("nao_search", "--checkpoint="),
    ("nao_search", "--benchmark="),
    ("nao_search", "--task="),
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
        "gnn_nas.analysis.maps.embedding_map",
        "gnn_nas.benchmarks.importing",
        "gnn_nas.search.checkpoint",
        "gnn_nas.tasks.image_task",
        "gnn_nas.tasks.network_onnx",
        "gnn_nas.tasks.network_weights",
        "gnn_nas.analysis.draw",
    ):
        importlib.import_module(name)


@pytest.fixture
def cwd(monkeypatch) -> Iterator[Path]:
    """A folder with something of every kind, seen by a user who may not read all of it."""
    folder = Path(tempfile.mkdtemp(prefix="paths-"))
    folder.chmod(0o777)
    monkeypatch.chdir(folder)
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
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        folder.joinpath("locked").chmod(0o700)
        shutil.rmtree(folder)


def call(refuses, name: str, option: str, path: str) -> None:
    main = importlib.import_module(f"gnn_nas.cli.{name}").main
    given = [each for each in COMMANDS[name] if not each.startswith(option or "-")]
    if not option:
        given = COMMANDS[name]
    hashed = ["00005c14"] if name == "export_cell" and option != "--from=" else []
    source = ["data"] if name == "import_nasbench" and option else []
    before = sorted(os.listdir())
    refuses(main, *hashed, *source, *given, f"{option}{path}")
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize("kind", [*IMPOSSIBLE, *ELSEWHERE])
@pytest.mark.parametrize(("name", "option"), READ, ids=lambda text: text.strip("-=") or "file")
def test_a_path_that_is_read(refuses, cwd, name, option, kind):
    path = (IMPOSSIBLE | ELSEWHERE)[kind]
    if (option, kind) == ("", "an option") or (option, path) == ("--task=", ""):
        pytest.skip("is the absence of the option")
    call(refuses, name, option, path)


@pytest.mark.parametrize("kind", [*IMPOSSIBLE, "a file", "nowhere", "full", "a folder of others"])
@pytest.mark.parametrize(("name", "option"), WRITTEN, ids=lambda text: text.strip("-="))
def test_a_path_that_is_written(refuses, cwd, name, option, kind):
    path = (IMPOSSIBLE | ELSEWHERE)[kind]
    if name == "import_nasbench":
        if kind == "a file":
            pytest.skip("is replaced by an import")
        path = f"{path}/" if kind == "a folder of others" else path
    call(refuses, name, option, path)
