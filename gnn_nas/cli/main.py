"""``gnn-nas``: all commands of the package, each by its verb."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from gnn_nas.cli.common import SCRIPT, USER_ERROR_STATUS
from gnn_nas.version import __version__

VERBS = {
    "pretrain": ("pretrain", "pretrain a controller on a whole search space"),
    "search": ("search", "search for the best cells, in measurements or by trainings of your own"),
    "embed-umap": ("embed_umap", "draw embeddings as a map, or as a page to explore"),
    "locality": ("locality", "whether few edits mean like performance and like embeddings"),
    "compare": ("compare", "the paper's Table 1: losses compared by what searches find"),
    "predictor-quality": ("predictor_quality", "how well the predictor orders all cells"),
    "export-cell": ("export_cell", "a cell as a network to take away"),
    "function": ("function", "what untrained networks of cells do with a few images"),
    "import": ("import_nasbench", "read the official measurements of NAS-Bench-101, once"),
    "spaces": ("spaces", "the search spaces, and what of each is on this machine"),
    "bench": ("bench", "measure speed and memory, in a clone of the project"),
    "completion": ("completion", "print what makes a shell complete these commands"),
}
"""Module in `gnn_nas.cli`, with ``main(argv)`` and ``parser()``, and what it does, by verb."""

_EPILOG = """\
verbs:
{verbs}

`{script} VERB --help` tells all of one. Begin with:
  {script} search                             real trainings, where no measurements are
  {script} pretrain --config gin_multisim
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command of the first argument with the others and return its exit status."""
    root = root_parser()
    root.add_argument("verb", nargs="?", choices=VERBS, metavar="VERB", help="see below")
    verb, *rest = list(sys.argv[1:] if argv is None else argv) or [None]
    if root.parse_args([verb] if verb else []).verb is None:
        root.print_help(sys.stderr)
        return USER_ERROR_STATUS
    return importlib.import_module(f"gnn_nas.cli.{VERBS[verb][0]}").main(rest)


def root_parser() -> argparse.ArgumentParser:
    """What ``gnn-nas`` knows without a verb."""
    verbs = "\n".join(f"  {verb:18} {about}" for verb, (_, about) in VERBS.items())
    parser = argparse.ArgumentParser(
        prog=SCRIPT,
        usage="%(prog)s VERB [OPTION ...]",
        description="Pretrain controllers of neural architecture search, and search with them.",
        epilog=_EPILOG.format(verbs=verbs, script=SCRIPT),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"{SCRIPT} {__version__}"
    parser.add_argument("--version", action="version", version=version, help="show it and exit")
    return parser
