"""Every block of code of the README and the pages of docs/ runs, or says why it does not.

The blocks of a page are run in their order, in one namespace and one folder. A block whose first
line names a file is what that file holds. What pretraining validates and draws is cut short.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
from pathlib import Path

import pytest
import yaml

from gnn_nas.cli.main import main
from gnn_nas.config import load_config
from gnn_nas.errors import UserError
from gnn_nas.search.methods import METHODS
from gnn_nas.tasks.user_task import SHIPPED
from tests.helpers.command_lines import Call, call, lines, parsed
from tests.helpers.pages import PAGES, ROOT, Block, blocks

BLOCKS = [block for page in PAGES for block in blocks(page)]
WITH_CODE = [page for page in PAGES if any(block.not_run is None for block in blocks(page))]
# Text has nothing to run; all other languages have.
LANGUAGES = {"bash", "python", "yaml", "text"}
# What commands and blocks before have written.
MADE = ("runs/", "mymodule:", "mytask:", "mine.yaml", "own_parts:")


def of_language(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_names_its_language(block):
    assert block.language in LANGUAGES


@pytest.mark.parametrize("block", of_language("bash"), ids=str)
def test_every_command_is_read_by_its_own_parser(block):
    for words in lines(block.text):
        if found := call(words):
            check_names(parsed(found))


def check_names(arguments: argparse.Namespace) -> None:
    """Configs, tasks, methods and checkpoints are there, unless the reader makes them before."""
    if config := getattr(arguments, "config", None):
        load_config(config, [each for each in arguments.overrides if "own_parts:" not in each])
    known = {"task": SHIPPED, "method": METHODS}
    for name, names in known.items():
        given = getattr(arguments, name, None) or names[0]
        assert given in names or is_there(given), f"there is no {name} {given}"
    checkpoints = getattr(arguments, "checkpoint", None) or []
    for each in [checkpoints] if isinstance(checkpoints, str) else checkpoints:
        assert each == "none" or is_there(each), f"there is no checkpoint {each}"


def is_there(path: str) -> bool:
    return path.startswith(MADE) or (ROOT / path).exists()


@pytest.mark.parametrize("block", of_language("yaml"), ids=str)
def test_every_yaml_block_is_yaml(block):
    assert isinstance(yaml.safe_load(block.text), dict)


@pytest.mark.parametrize("block", of_language("python"), ids=str)
def test_every_python_block_compiles(block):
    compile(block.text, str(block), "exec")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to run in, which the machine's measurements do not reach."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("GNN_NAS_BENCHMARK", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    # Imported here, with torch, for the blocks that run.
    from tests.helpers.quick_pretrain import cut_short

    cut_short(monkeypatch.setattr)
    modules = set(sys.modules)
    yield tmp_path
    # Those of the page's own folder, whose names others have too.
    for name in set(sys.modules) - modules:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(tmp_path):
            del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_CODE)
def test_every_block_runs(page, folder):
    namespace = {"__name__": "page"}
    for block in blocks(page):
        if block.not_run is None:
            run(block, namespace)


def run(block: Block, namespace: dict) -> None:
    if block.file:
        Path(block.file).write_text(block.text, encoding="utf-8")
        importlib.invalidate_caches()
    elif block.language == "python":
        exec(compile(block.text, str(block), "exec"), namespace)
    elif block.language == "bash":
        for words in lines(block.text):
            found = call(words)
            assert found, f"{block}: {words[0]} is not run: say why"
            assert status(found) == 0, f"{block}: {' '.join(words)}"


def status(call: Call) -> int:
    with contextlib.suppress(SystemExit):
        return main(call.argv)
    return 0


def test_a_block_that_does_not_run_is_found(folder):
    page = "README.md"
    with pytest.raises(ZeroDivisionError):
        run(Block(page, 1, "python", "1 / 0", None), {})
    with pytest.raises(AssertionError):
        run(Block(page, 1, "bash", "gnn-nas export-cell 0000000000", None), {})
    with pytest.raises(AssertionError, match="wget is not run: say why"):
        run(Block(page, 1, "bash", "wget file", None), {})
    with pytest.raises(ValueError, match="nobody knows"):
        run(Block(page, 1, "bash", "gnn_nas search", None), {})
    with pytest.raises(SystemExit):
        parsed(call(["gnn-nas", "search", "--queries", "many"]))
    with pytest.raises(UserError):
        check_names(parsed(call(["gnn-nas", "pretrain", "--config", "gin_other"])))
