"""``import``: make the compact file of NAS-Bench-101's measurements."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gnn_nas.benchmarks.importing import prepare
from gnn_nas.benchmarks.locate import default_path
from gnn_nas.cli.common import command_parser, repeated, run_guarded

_DESCRIPTION = """\
Import the official measurements of NAS-Bench-101, without TensorFlow, for searches to use.

Every record's checksum is verified, and every cell must have its three trainings at every budget.
The result is one compact file; the official one is not needed any more.
"""

_EPILOG = """\
the official files:
  https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord   500 MB, 108 epochs
  https://storage.googleapis.com/nasbench/nasbench_full.tfrecord      2 GB, 4, 12, 36, 108 epochs

examples:
  %(prog)s nasbench_only108.tfrecord
  %(prog)s nasbench_full.tfrecord --out data/full.safetensors

without --out the file is nasbench101.safetensors in gnn_nas in the user's data folder
($XDG_DATA_HOME, else ~/.local/share), where commands look for it by themselves; a file elsewhere
is named to them by --benchmark PATH or by the environment variable GNN_NAS_BENCHMARK.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(parser().parse_args(argv)), repeated("import", argv))


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("import", _DESCRIPTION, _EPILOG)
    parser.add_argument("file", type=Path, metavar="FILE", help="an official .tfrecord file")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="what to write (default: see below)"
    )
    return parser


def _run(arguments: argparse.Namespace) -> None:
    target = arguments.out or default_path()
    prepare(arguments.file, target)

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.benchmarks.importing import import_tfrecord
    from gnn_nas.benchmarks.nasbench101 import NASBench101
    from gnn_nas.spaces.table import open_table

    table = open_table()
    rows = import_tfrecord(arguments.file, target, table)
    benchmark = NASBench101.open(target, table)
    print(f"rows                     {rows:,}")
    print(f"cells                    {len(benchmark):,}")
    print(f"epochs                   {', '.join(map(str, benchmark.epochs))}")
    print(f"best mean test accuracy  {benchmark.best_test:.7f}")
    print(f"written to {target}")
