"""Pretraining steps of every config at its own batch size, each in a process of its own."""

import resource
import subprocess
import sys
from pathlib import Path

from bench.measuring import Figure

STEPS = 200


def measure() -> list[Figure]:
    """Run 200 steps of every ``configs/gin_*.yaml`` and give step time and peak memory."""
    figures = []
    for path in sorted(Path("configs").glob("gin_*.yaml")):
        command = [sys.executable, "-m", "bench.steps", str(path)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        milliseconds, megabytes = map(float, output.split())
        figures.append(Figure(f"step, {path.stem}", milliseconds, "ms", f"mean of {STEPS} steps"))
        figures.append(Figure(f"peak memory, {path.stem}", megabytes, "MB"))
    return figures


def _run(path: str) -> None:
    import time

    from gnn_nas.cells.table import load_table
    from gnn_nas.config import load_config
    from gnn_nas.pretraining.held_out import held_out_cells
    from gnn_nas.pretraining.training_state import TrainingState

    config, table = load_config(path), load_table()
    state = TrainingState(config, table, held_out_cells(table, config.data.held_out))
    started = time.perf_counter()
    for _ in range(STEPS):
        state.advance()
    spent = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(spent / STEPS * 1e3, peak)


if __name__ == "__main__":
    _run(sys.argv[1])
