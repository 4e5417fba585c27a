"""The arrows between folders run one way, and no module needs itself in order to be imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the top down: a folder imports from those of lower lines alone, and from none beside it.
LEVELS = (
    {"cli"},
    {"experiments"},
    {"plots", "search", "pretraining"},
    {"evaluation"},
    {"function"},
    {"models", "benchmarks", "tasks"},
    {"parallel", "spaces"},
)
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted((ROOT / "gnn_nas").rglob("*.py"))}


def imports(tree: ast.AST, module: str, modules: set[str], typed: bool) -> Iterator[str]:
    """Modules that a module imports, in functions too; what is for types alone if ``typed``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            nested = ast.Module(node.body if typed else [], [])
            yield from imports(nested, module, modules, typed)
            nested = ast.Module(node.orelse, [])
            yield from imports(nested, module, modules, typed)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in modules)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import"
            for each in node.names:
                name = f"{node.module}.{each.name}"
                yield from {name, node.module} & modules if name not in modules else [name]
        else:
            yield from imports(node, module, modules, typed)


def graph(typed: bool) -> dict[str, set[str]]:
    modules = set(MODULES)
    return {
        module: set(imports(ast.parse(path.read_text()), module, modules, typed)) - {module}
        for module, path in MODULES.items()
    }


def folder(module: str) -> str | None:
    """The folder that a module lies in; none for those beside the folders."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (ROOT / "gnn_nas" / parts[1]).is_dir() else None


def level(module: str) -> int:
    """From the top down: what the package exports, the folders, what lies beside them."""
    exports = ("gnn_nas", "gnn_nas.__main__", "gnn_nas.cells")
    return -1 if module in exports else LEVEL.get(folder(module), len(LEVELS))


def wrong_arrows(arrows: dict[str, set[str]]) -> list[str]:
    """Imports that run upwards or sideways, each as a line."""
    return [
        f"{module} imports {imported}"
        for module, found in sorted(arrows.items())
        for imported in sorted(found)
        if level(module) > level(imported)
        or (level(module) == level(imported) and folder(module) != folder(imported))
    ]


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Modules of which each imports the next and the last the first; empty where there is none."""
    done: set[str] = set()

    def search(module: str, path: list[str]) -> list[str]:
        if module in path:
            return path[path.index(module) :]
        if module not in done:
            for imported in sorted(arrows[module]):
                if found := search(imported, [*path, module]):
                    return found
            done.add(module)
        return []

    return next(filter(None, (search(module, []) for module in sorted(arrows))), [])


def test_every_folder_has_a_level():
    folders = {folder(module) for module in MODULES} - {None}
    assert folders <= LEVEL.keys()


def test_no_arrow_runs_upwards_or_sideways():
    assert wrong_arrows(graph(typed=True)) == []


def test_no_module_needs_itself():
    assert circle(graph(typed=False)) == []


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("models", "cli"),
        ("plots", "search"),
        ("tasks", "models"),
        ("errors", "spaces"),
        ("files", ""),
    ],
)
def test_a_wrong_arrow_is_found(module, imported):
    module, imported = f"gnn_nas.{module}", f"gnn_nas.{imported}".removesuffix(".")
    assert wrong_arrows({module: {imported}}) == [f"{module} imports {imported}"]


def test_a_right_arrow_is_let_through():
    arrows = {
        "gnn_nas.cli": {"gnn_nas.plots", "gnn_nas.errors"},
        "gnn_nas.errors": {"gnn_nas.files"},
    }
    assert wrong_arrows(arrows) == []


def test_a_circle_is_found():
    assert circle({"a": {"b", "d"}, "b": {"c"}, "c": {"d", "b"}, "d": set()}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("typed", [False, True])
def test_imports_are_found_wherever_they_stand(typed):
    text = """
import gnn_nas.a
from gnn_nas import b
from gnn_nas.c import name
if TYPE_CHECKING:
    from gnn_nas.d import name
def function():
    if fast:
        import gnn_nas.e
from torch import Tensor
"""
    modules = {f"gnn_nas.{letter}" for letter in "abcdef"}
    found = set(imports(ast.parse(text), "gnn_nas.module", modules, typed))
    assert found == modules - {"gnn_nas.f"} - (set() if typed else {"gnn_nas.d"})
