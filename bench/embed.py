"""Embedding all 423,624 cells with the shipped controller."""

import torch

from bench.apart import apart, peak_memory
from bench.measuring import Figure, Times, at_most, say, time_of
from gnn_nas.models.pretrained import SHIPPED, load_pretrained
from gnn_nas.spaces.table import load_table

THREADS = 2


def measure() -> list[Figure]:
    """Measure on one thread and on two."""
    figures = []
    for threads in (1, THREADS):
        say(f"all cells on {threads} threads")
        figures += apart(_all_cells, threads=threads)
    return figures


def embedding_times(counts: list[int], repeats: int) -> list[Times]:
    """Times of embedding so many cells, drawn at random."""
    table, controller = load_table(), load_pretrained(SHIPPED)
    order = torch.randperm(len(table), generator=torch.Generator().manual_seed(0))
    controller.encode_rows(table, order[:10_000])
    return [
        time_of(lambda rows=order[:count]: controller.encode_rows(table, rows), repeats, warmups=0)
        for count in counts
    ]


def _all_cells() -> list[Figure]:
    cells = len(load_table())
    (times,) = embedding_times([cells], repeats=3)
    target = at_most(10) if times.threads == THREADS else None
    return [
        times.spent("embed all cells", "s", condition=f"{cells:,} cells", target=target),
        Figure("embed all cells, peak memory", peak_memory(), "MB", threads=times.threads),
    ]
