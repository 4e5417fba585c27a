"""``import``: make the compact file of NAS-Bench-101's or NAS-Bench-201's measurements."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from gnn_nas.benchmarks.importing import import_nasbench201, is_of_nasbench201, prepare
from gnn_nas.benchmarks.locate import default_path
from gnn_nas.cli.common import command_parser, repeated, run_guarded
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201

_DESCRIPTION = """\
Import the official measurements of NAS-Bench-101, without TensorFlow, or of NAS-Bench-201, for
searches to use.

Every cell must be there, of NAS-Bench-101 with its three trainings at every budget, and every
record's checksum is verified. Nothing that is pickled in files of NAS-Bench-201 is run.
The result is one compact file; the official one is not needed any more.
"""

_EPILOG = """\
the official files:
  https://storage.googleapis.com/nasbench/nasbench_only108.tfrecord   500 MB, 108 epochs
  https://storage.googleapis.com/nasbench/nasbench_full.tfrecord      2 GB, 4, 12, 36, 108 epochs

examples:
  %(prog)s nasbench_only108.tfrecord
  %(prog)s nasbench_full.tfrecord --out data/full.safetensors
  %(prog)s NATS-tss-v1_0-3ffb9-simple

NAS-Bench-201's are the folder of NATS-Bench, unpacked; NAS-Bench-201-v1_1-096897.pth, which takes
memory of some six times its size; or an .npz file of what an import of them makes. A file counts
as what its name ends with.

without --out the file is nasbench101.safetensors or nasbench201.npz in gnn_nas in the user's data
folder ($XDG_DATA_HOME, else ~/.local/share), where commands look for it by themselves, for
NAS-Bench-201's by --benchmark nasbench201; a file elsewhere is named to them by --benchmark PATH or
by the environment variable GNN_NAS_BENCHMARK.
"""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(parser().parse_args(argv)), repeated("import", argv))


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("import", _DESCRIPTION, _EPILOG)
    parser.add_argument("file", type=Path, metavar="FILE", help="what is imported, see below")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="what to write (default: see below)"
    )
    return parser


def _run(arguments: argparse.Namespace) -> None:
    of_201 = is_of_nasbench201(arguments.file)
    target = arguments.out or default_path(NASBENCH201.name if of_201 else NASBENCH101.name)
    prepare(arguments.file, target)
    if of_201:
        _import201(arguments.file, target)
        return

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


def _import201(source: Path, target: Path) -> None:
    import_nasbench201(source, target)

    from gnn_nas.benchmarks import DATASETS
    from gnn_nas.benchmarks.nasbench201 import NASBench201

    for dataset in DATASETS[NASBENCH201.name]:
        benchmark = NASBench201.open(target, dataset=dataset)
        print(f"best mean test accuracy, {dataset:8}  {benchmark.best_test:.7f}")
    print(f"written to {target}")
