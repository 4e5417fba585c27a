"""Cells: the table, row look-up, hashes, batches, positives and edit distances; one thread."""

import tempfile
import time
from pathlib import Path

import torch

from bench.measuring import Figure, seconds
from gnn_nas.cells.distance import edit_distance
from gnn_nas.cells.isomorphism import isomorphism_hash
from gnn_nas.cells.module_hash import module_hash
from gnn_nas.cells.positives import PositiveSampler
from gnn_nas.cells.table import load_table


def measure() -> list[Figure]:
    """Measure what pretraining and search do with cells."""
    with tempfile.TemporaryDirectory() as cache:
        started = time.perf_counter()
        load_table(Path(cache))
        built = time.perf_counter() - started
        opened = seconds(lambda: load_table(Path(cache)))
    table = load_table()
    figures = [
        Figure("enumerate and store the table", built, "s", "all cores, compiled code cached"),
        Figure("open the table", opened, "s"),
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(len(table), (8192,), generator=generator)
    cells = table.cells[rows]
    batch = cells.to_batch()
    for name, action in (
        ("row look-up", lambda: table.rows_of(cells)),
        ("row look-up of a PyG batch", lambda: table.index_of(batch)),
        ("to PyG batch", cells.to_batch),
        ("64-bit isomorphism hash", lambda: isomorphism_hash(cells)),
        ("official module hash", lambda: module_hash(cells)),
        ("exact edit distance", lambda: edit_distance(cells, cells[torch.arange(8191, -1, -1)])),
    ):
        figures.append(
            Figure(name, len(rows) / seconds(action), "cells/s", "batch 8,192, 1 thread")
        )
    anchors = rows[table.cells.vertices[rows] > 2]
    sampler = PositiveSampler(table, torch.zeros(len(table), dtype=torch.bool))
    for count, anchor_rows in ((1, anchors), (7, anchors[:64])):
        took = seconds(lambda c=count, a=anchor_rows: sampler.sample(a, c, generator), repeats=15)
        made = len(anchor_rows) * count
        condition = f"batch {made:,}, 1 thread, {took * 1e3:.1f} ms"
        figures.append(Figure("positives", made / took, "cells/s", condition))
    torch.set_num_threads(threads)
    return figures
