"""``bench``: measure speed and memory."""

import argparse
import ast
import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.machine import describe, machine
from bench.report import FigureFile, table, verdict
from bench.scaling_plot import draw_scaling
from gnn_nas.cli.common import command_parser, run_guarded

NAMES = (
    "startup",
    "cells",
    "metric",
    "steps",
    "embed",
    "search",
    "benchmark",
    "function",
    "scaling",
)
# Measured only where it is named.
APART = ("kills",)

_EPILOG = """\
what can be measured:
{names}

examples:
  %(prog)s                  everything; the machine should be idle meanwhile
  %(prog)s cells metric     these two
  %(prog)s search --out /tmp/bench
  %(prog)s kills            every result is the same whenever a command is killed; see below

kills is measured only where it is named. Some of it needs Linux and root, and says so without.

The table goes to stdout, progress to stderr. Times and rates are medians of repeats, whose range
and number stand beside them. A target is a bound that the project has set itself for two cores.

the folder (--out) receives:
  bench.json      all figures and the machine; a later call replaces only what it measures anew
  scaling.png     cost against size, where scaling was measured

Searches need measurements of NAS-Bench-101: see gnn-nas search --help.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    options = parser()
    arguments = options.parse_args(argv)
    for name in arguments.names:
        if name not in NAMES + APART:
            options.error(f"{name} cannot be measured; what can is {', '.join(NAMES + APART)}")
    return run_guarded(lambda: _run(arguments.names or NAMES, arguments.out))


def _run(names: Sequence[str], out: Path) -> None:
    file = FigureFile.open(out / "bench.json")
    print(describe(machine()))
    figures = []
    for name in names:
        print(f"{name}:", file=sys.stderr)
        before, started = machine(), time.perf_counter()
        found = importlib.import_module(f"bench.{name}").measure()
        print(f"\n{name}: {time.perf_counter() - started:.0f} s, load {before['load']:.2f}")
        print(table(found), flush=True)
        file.add(name, before, found)
        if name == "scaling":
            draw_scaling(found, out / "scaling.png", describe(before))
        figures += found
    print(f"\n{verdict(figures)}\nwritten to {out}")


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    names = "\n".join(f"  {name:10} {_about(name)}" for name in NAMES + APART)
    description = "Measure speed and memory of everything, or of what is named."
    parser = command_parser("bench", description, _EPILOG.format(names=names))
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure; see below")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/bench"),
        metavar="DIR",
        help="where the figures are written (default: runs/bench)",
    )
    return parser


def _about(name: str) -> str:
    """The first line of a measurement's docstring, without the time that importing it takes."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)).splitlines()[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
