"""What ``import gnn_nas`` offers, and that it costs nothing until it is asked for."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import gnn_nas

NAMES = [name for name in gnn_nas.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there(name):
    exported = getattr(gnn_nas, name)
    assert exported.__name__ == name
    assert name in dir(gnn_nas)


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(gnn_nas.__file__).read_text())
    (seen,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {
        alias.name: line.module.removeprefix("gnn_nas.")
        for line in seen.body
        for alias in line.names
    }
    assert imported == gnn_nas._MODULES
    assert sorted(imported) == NAMES
    assert Path(gnn_nas.__file__).with_name("py.typed").exists()


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'gnn_nas' has no attribute 'pretrian'"):
        _ = gnn_nas.pretrian
    assert not hasattr(gnn_nas, "torch")


def test_importing_it_imports_nothing_heavy():
    script = "import sys, gnn_nas; print(len(sys.modules), *sys.modules)"
    bare, ours = (
        set(
            subprocess.run(
                [sys.executable, "-P", "-c", text], capture_output=True, text=True, check=True
            ).stdout.split()[1:]
        )
        for text in (script.replace(", gnn_nas", ""), script)
    )
    assert "gnn_nas" in ours
    assert len(ours - bare) < 32
    assert not ours & {"torch", "numpy", "pydantic", "yaml", "rich"}


def test_networks_that_were_exported_before_find_what_they_import():
    from gnn_nas.cells import PackedCells, from_matrix, pack

    assert (PackedCells, from_matrix, pack) == (
        gnn_nas.spaces.PackedCells,
        gnn_nas.spaces.from_matrix,
        gnn_nas.spaces.pack,
    )
    with pytest.raises(ImportError):
        from gnn_nas.cells import no_such_name  # noqa: F401
