"""NAS-Bench-101: import of a file of the official size, opening, look-ups, on one core."""

import tempfile
import time
from pathlib import Path

import torch

from bench.apart import apart, peak_memory
from bench.measuring import Figure, say, time_of
from gnn_nas.benchmarks.importing import import_tfrecord
from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.benchmarks.official_api import ModelSpec, NASBench
from gnn_nas.spaces.conversion import to_matrix
from gnn_nas.spaces.table import load_table
from tests.helpers.official_writer import synthetic_rows, write_tfrecord

LOOK_UPS = 1_000_000


def measure() -> list[Figure]:
    """Measure on a synthetic file of as many records as ``nasbench_only108.tfrecord`` has."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "synthetic.tfrecord", Path(folder) / "nasbench.safetensors"
        say("a synthetic file")
        apart(_write, source, threads=1)
        say("import")
        figures = apart(_import, source, target, threads=1)
        say("look-ups")
        return figures + apart(_look_ups, target, threads=1)


def _write(path: Path) -> None:
    write_tfrecord(path, synthetic_rows(load_table()))


def _import(source: Path, target: Path) -> list[Figure]:
    table = load_table()
    started = time.perf_counter()
    import_tfrecord(source, target, table)
    spent = time.perf_counter() - started
    size = f"{3 * len(table):,} rows, {source.stat().st_size / 1e6:.0f} MB"
    return [
        Figure("import", spent, "s", size, threads=1),
        Figure("import, peak memory", peak_memory(), "MB", "the whole process", threads=1),
        Figure("compact file", target.stat().st_size / 1e6, "MB"),
    ]


def _look_ups(path: Path) -> list[Figure]:
    table = load_table()
    opened = time_of(lambda: NASBench101.open(path, table)).spent("open it", "s")
    benchmark = NASBench101.open(path, table)
    rows = torch.randint(len(table), (LOOK_UPS,), generator=torch.Generator().manual_seed(0))
    figures = [
        time_of(lambda a=action: a(rows), repeats=7).rate(
            name, LOOK_UPS, "rows/s", condition=f"{LOOK_UPS:,} rows"
        )
        for name, action in (
            ("validation accuracy", benchmark.validation),
            ("mean test accuracy", benchmark.mean_test),
            ("rank", benchmark.rank),
        )
    ]
    api = NASBench(benchmark, seed=0)
    specs = [ModelSpec(*to_matrix(table.cells[row].to_batch()[0])) for row in rows[:1000, None]]
    for name, action in (("query", api.query), ("is_valid", api.is_valid)):
        times = time_of(lambda a=action: [a(spec) for spec in specs], repeats=7)
        figures.append(times.rate(f"official API, {name}", len(specs), "specs/s"))
    return [opened, *figures]
