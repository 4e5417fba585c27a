"""``spaces``: the search spaces that the package knows, and what of each is on this machine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from gnn_nas.benchmarks.locate import benchmark_path, has_benchmark
from gnn_nas.cli.common import command_parser, repeated, run_guarded
from gnn_nas.config import CONFIGS, WEIGHTS
from gnn_nas.spaces.nasbench101 import NASBENCH101, NUM_CELLS
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


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(parser().parse_args(argv)), repeated("spaces", argv))


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("spaces", _DESCRIPTION, _EPILOG)
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    spaces = {"nasbench101": _nasbench101()}
    if arguments.json:
        print(json.dumps(spaces, indent=2))
        return
    for name, facts in spaces.items():
        print(name)
        for key, value in facts.items():
            text = ", ".join(value) if isinstance(value, list) else value
            print(f"  {key:13} {text:,}" if isinstance(value, int) else f"  {key:13} {text}")


def _nasbench101() -> dict[str, Any]:
    return {
        "cells": NUM_CELLS,
        "max_vertices": NASBENCH101.max_vertices,
        "max_edges": NASBENCH101.max_edges,
        "ops": list(NASBENCH101.ops),
        "controllers": sorted(path.name for path in WEIGHTS.iterdir()),
        "configs": sorted(path.stem for path in CONFIGS.glob("*.yaml")),
        "measurements": str(benchmark_path()) if has_benchmark() else "none: see gnn-nas import",
        "cache": str(cache_folder()),
    }
