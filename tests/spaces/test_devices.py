"""Whatever is done with whole batches of cells is done on the device that they lie on."""

import pytest
import torch

from gnn_nas.spaces.batch import join
from gnn_nas.spaces.descriptors import descriptors
from gnn_nas.spaces.distance import edit_distance
from gnn_nas.spaces.enumeration import isomorphism_hash
from gnn_nas.spaces.neighbours import neighbours
from gnn_nas.spaces.packed import pack
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.pruning import prune
from gnn_nas.spaces.tokens import from_tokens, to_tokens


def parts(cells) -> list:
    return [cells.vertices, cells.edges, cells.ops]


def of_batch(batch) -> list:
    return [batch.x, batch.edge_index, batch.batch, batch.ptr]


def both_ways(table, cells) -> list:
    parsed, valid = from_tokens(to_tokens(cells), cells.space)
    return [to_tokens(cells), *parts(parsed), valid]


def pruned(table, cells) -> list:
    # Without its last edge many a cell has vertices to drop.
    smaller, valid = prune(type(cells)(cells.vertices, cells.edges & (cells.edges - 1), cells.ops))
    return [valid, *(each[valid] for each in parts(smaller))]


CALLS = {
    "adjacency": lambda table, cells: cells.adjacency(),
    "interior": lambda table, cells: cells.has_interior(),
    "features": lambda table, cells: cells.features(),
    "output": lambda table, cells: cells.at_output(cells.adjacency()),
    "twice": lambda table, cells: parts(type(cells).cat([cells, cells])),
    "batch": lambda table, cells: of_batch(cells.to_batch()),
    "joined": lambda table, cells: of_batch(join(cells.to_batch(), cells.to_batch())),
    "packed": lambda table, cells: parts(pack(cells.to_batch())),
    "rows": lambda table, cells: table.index_of(cells.to_batch()),
    "isomorphism": lambda table, cells: isomorphism_hash(cells, 2),
    "descriptors": lambda table, cells: descriptors(cells),
    "tokens": both_ways,
    "pruned": pruned,
    "neighbours": lambda table, cells: neighbours(table, table.rows_of(cells)[:8]),
    "distance": lambda table, cells: edit_distance(cells, table.cells[: len(cells)]),
}


def some(table):
    """Cells of all sizes."""
    return table.cells[:: len(table) // 40]


@pytest.mark.parametrize("name", CALLS)
def test_batches_of_cells(table, on_device, name):
    def compute(device):
        moved = table.to(device)
        return CALLS[name](moved, some(moved))

    on_device(compute)


def test_positives(table, on_device):
    def compute(device):
        moved = table.to(device)
        sampler = PositiveSampler(moved, torch.zeros(len(table), dtype=torch.bool, device=device))
        anchors = torch.arange(100, 116, device=device)
        found = sampler.sample(anchors, 3, torch.Generator(device).manual_seed(0))
        assert torch.equal(moved.index_of(found.cells), found.rows)
        assert not (found.rows == anchors.repeat_interleave(3)).any()
        return [found.num_edits, found.rows]

    on_device(compute, drawn=True)
