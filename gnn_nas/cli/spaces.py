"""``spaces``: the search spaces that the package knows, and what of each is on this machine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from gnn_nas.benchmarks import GRAPH
from gnn_nas.benchmarks.locate import benchmark_path, benchmark_space
from gnn_nas.cli.common import command_parser, repeated, run_guarded
from gnn_nas.config import CONFIGS, WEIGHTS, load_config
from gnn_nas.errors import UserError, to_install
from gnn_nas.spaces import nasbench_graph
from gnn_nas.spaces.known import SPACES
from gnn_nas.spaces.nasbench101 import NUM_CELLS
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.space import CellSpace
from gnn_nas.user_folders import cache_folder

_DESCRIPTION = """\
List the search spaces: their cells and operations, the controllers and configs that come with the
package, and where measurements are on this machine.
"""

_EPILOG = """\
examples:
  %(prog)s
  %(prog)s --json
"""


_ABSENT = {
    "nasbench101": "none here: see gnn-nas import",
    "nasbench201": "none here: see gnn-nas import",
    "nasbench_graph": f"none here: {to_install('nas-bench-graph==1.4.0')}",
}
_CELLS = {"nasbench101": NUM_CELLS, "nasbench_graph": nasbench_graph.NUM_CELLS}


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(parser().parse_args(argv)), repeated("spaces", argv))


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("spaces", _DESCRIPTION, _EPILOG)
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    spaces = {name: _facts(space) for name, space in SPACES.items()}
    if arguments.json:
        print(json.dumps(spaces, indent=2))
        return
    for name, facts in spaces.items():
        print(name)
        for key, value in facts.items():
            text = ", ".join(value) if isinstance(value, list) else value
            if value is None:
                text = _ABSENT[name]
            print(f"  {key:13} {text:,}" if isinstance(value, int) else f"  {key:13} {text}")


def _facts(space: CellSpace) -> dict[str, Any]:
    """What is known of a space."""
    configs = {path.stem: load_config(path).space for path in sorted(CONFIGS.glob("*.yaml"))}
    own = [name for name, of in configs.items() if of == space.name]
    facts: dict[str, Any] = {
        "cells": _CELLS.get(space.name, len(space.ops) ** space.max_interior),
        "max_vertices": space.max_vertices,
        "max_edges": space.max_edges,
        "ops": list(space.ops),
        "configs": own,
        "controllers": [path.name for path in sorted(WEIGHTS.iterdir()) if path.name in own],
    }
    return facts | {"measurements": _measurements(space), "cache": str(cache_folder())}


def _measurements(space: CellSpace) -> str | None:
    """Where a search finds them without being told; None where there are none of this space."""
    named = {NASBENCH201: NASBENCH201.name, nasbench_graph.NASBENCH_GRAPH: GRAPH}
    for name in (None, named.get(space)):
        try:
            path = benchmark_path(name)
        except UserError:
            continue
        if benchmark_space(path) == space.name:
            return str(path)
    return None
