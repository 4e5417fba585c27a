"""The cell table, row look-up, hashes, batches, positives and edit distances, on one core."""

import itertools
import tempfile
from pathlib import Path

import torch

from bench.apart import apart
from bench.measuring import Figure, at_least, at_most, say, time_of
from gnn_nas.parallel import available_cores
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.enumeration import isomorphism_hash
from gnn_nas.spaces.module_hash import module_hash
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.table import load_table

BATCH = 8192
# Anchors and positives of each in a pretraining batch of 512 samples.
ANCHORS, POSITIVES = 64, 7


def measure() -> list[Figure]:
    """Measure what pretraining and search do with cells."""
    say("the table")
    figures = apart(_table, threads=available_cores())
    say("batches of cells")
    return figures + apart(_batches, threads=1) + apart(_positives, threads=1)


def _table() -> list[Figure]:
    # Compiles what enumeration needs, unless the compiled code is cached.
    module_hash(load_table().cells[:1])

    with tempfile.TemporaryDirectory() as cache:
        numbers = itertools.count()
        built = time_of(
            lambda: load_table(cache=Path(cache, str(next(numbers)))), repeats=3, warmups=0
        )
        opened = time_of(lambda: load_table(cache=Path(cache, "0")))
    return [
        built.spent(
            "enumerate and store the table",
            "s",
            condition="its code compiled before",
            target=at_most(12),
        ),
        opened.spent("open the table", "s", target=at_most(0.2)),
    ]


def _batches() -> list[Figure]:
    table = load_table()
    rows = torch.randint(len(table), (BATCH,), generator=torch.Generator().manual_seed(0))
    cells = table.cells[rows]
    batch = cells.to_batch()
    backwards = cells[torch.arange(BATCH - 1, -1, -1)]
    target = at_least(1_000_000)
    return [
        time_of(action).rate(name, BATCH, "cells/s", condition=f"batch {BATCH:,}", target=bound)
        for name, action, bound in (
            ("row look-up", lambda: table.rows_of(cells), target),
            ("row look-up of a PyG batch", lambda: table.index_of(batch), target),
            ("to PyG batch", cells.to_batch, None),
            ("64-bit isomorphism hash", lambda: isomorphism_hash(cells, 2), None),
            ("official module hash", lambda: module_hash(cells), None),
            ("exact edit distance", lambda: edit_distance(cells, backwards), None),
        )
    ]


def _positives() -> list[Figure]:
    table = load_table()
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(len(table), (BATCH + 100,), generator=generator)
    anchors = rows[table.cells.vertices[rows] > 2][:BATCH]
    sampler = PositiveSampler(table, torch.zeros(len(table), dtype=torch.bool))
    many = time_of(lambda: sampler.sample(anchors, 1, generator), repeats=30)
    few = time_of(lambda: sampler.sample(anchors[:ANCHORS], POSITIVES, generator), repeats=100)
    made = ANCHORS * POSITIVES
    return [
        many.rate(
            "positives",
            BATCH,
            "cells/s",
            condition=f"batch {BATCH:,}, one of each anchor",
            target=at_least(300_000),
        ),
        few.spent(f"positives, {made} of them", condition=f"{ANCHORS} anchors x {POSITIVES}"),
    ]
