"""Statistics of the untrained network around a cell, built once and drawn anew, on one core."""

import itertools

import torch

from bench.apart import apart
from bench.measuring import Figure, Times, at_most, say, time_of
from gnn_nas.function.probes import open_probes
from gnn_nas.function.statistics import measure_cell
from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.nasbench201 import NASBENCH201
from gnn_nas.spaces.table import load_table
from gnn_nas.tasks.network_size import NetworkConfig

# As many drawings of a cell as the shipped controller was told from.
CELLS, SEEDS, REPEATS = 50, 4, 20


def measure() -> list[Figure]:
    """Measure random cells of both spaces on one thread."""
    say("untrained networks")
    return apart(_networks, threads=1)


def _networks() -> list[Figure]:
    images = open_probes("digits")
    sizes = NetworkConfig(stem_channels=8, stacks=2, cells_per_stack=1, in_channels=1)
    figures = []
    for space in (NASBENCH101, NASBENCH201):
        table = load_table(space)
        rows = table.draw(CELLS, torch.Generator().manual_seed(0))
        cells = [table.cells.take(row[None]) for row in rows]
        # Every repeat has the same cells, or a mean would depend on their number.
        turn = itertools.cycle(cells)
        times = time_of(
            lambda turn=turn: measure_cell(next(turn), images, sizes, range(SEEDS)),
            REPEATS,
            budget=60,
            each=CELLS,
        )
        drawing = Times(tuple(each / SEEDS for each in times.seconds), times.threads)
        figures.append(
            drawing.spent(
                f"statistics of a cell of {space.name}, a drawing",
                condition="16 + 112 images of 8 x 8, 8 channels, 2 stacks",
                target=at_most(8),
            )
        )
    return figures
