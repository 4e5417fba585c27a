"""NAS-Bench-101: import of a file of the official size, opening, look-ups; one thread."""

import os
import re
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from bench.measuring import Figure, seconds
from gnn_nas.benchmarks.model_spec import ModelSpec
from gnn_nas.benchmarks.nasbench101 import NASBench101
from gnn_nas.benchmarks.official_api import NASBench
from gnn_nas.cells.conversion import to_matrix
from gnn_nas.cells.table import CellTable, load_table

LOOK_UPS = 1_000_000


def measure() -> list[Figure]:
    """Measure on a synthetic file of as many records as ``nasbench_only108.tfrecord`` has."""
    writer = runpy.run_path("tests/benchmarks/writer.py")
    table = load_table()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "synthetic.tfrecord", Path(folder) / "nasbench.safetensors"
        writer["write_tfrecord"](source, writer["synthetic_rows"](table))
        size = f"{3 * len(table):,} rows, {source.stat().st_size / 1e6:.0f} MB"
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "bench.benchmark", str(source), str(target)]
        output = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment
        ).stdout
        imported, megabytes = map(float, output.split())
        figures = [
            Figure("import", imported, "s", size),
            Figure("import, peak memory", megabytes, "MB", "the whole process"),
            Figure("compact file", target.stat().st_size / 1e6, "MB"),
            Figure("open it", seconds(lambda: NASBench101.open(target, table)), "s"),
        ]
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        figures += _look_ups(NASBench101.open(target, table), table)
        torch.set_num_threads(threads)
    return figures


def _look_ups(benchmark: NASBench101, table: CellTable) -> list[Figure]:
    rows = torch.randint(len(table), (LOOK_UPS,), generator=torch.Generator().manual_seed(0))
    figures = [
        Figure(name, LOOK_UPS / seconds(lambda a=action: a(rows)), "rows/s", "1,000,000, 1 thread")
        for name, action in (
            ("validation accuracy", benchmark.validation),
            ("mean test accuracy", benchmark.mean_test),
            ("rank", benchmark.rank),
        )
    ]
    api = NASBench(benchmark, seed=0)
    specs = [ModelSpec(*to_matrix(table.cells[row].to_batch()[0])) for row in rows[:1000, None]]
    for name, action in (("query", api.query), ("is_valid", api.is_valid)):
        took = seconds(lambda a=action: [a(spec) for spec in specs]) / len(specs)
        figures.append(Figure(f"official API, {name}", took * 1e6, "µs", "one ModelSpec"))
    return figures


def _import(source: str, target: str) -> None:
    from gnn_nas.benchmarks.importing import import_tfrecord

    table = load_table()
    started = time.perf_counter()
    import_tfrecord(Path(source), Path(target), table)
    spent = time.perf_counter() - started
    # Not from getrusage: that would count the memory of the process that started this one.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(spent, int(peak[1]) / 1024)


if __name__ == "__main__":
    _import(*sys.argv[1:])
