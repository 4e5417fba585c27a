from itertools import combinations, product

import pytest
import torch

from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.sources import has_exact_sources, leaves_joined, random_moves
from gnn_nas.spaces.space import CellSpace, num_slots, slot_of


def space(in_edges: int) -> CellSpace:
    return CellSpace("mine", ("a", "b"), (1.0, 0.0), 5, 9, in_edges=in_edges)


def every_mask(in_edges: int) -> PackedCells:
    masks = torch.arange(1 << num_slots(5))
    return PackedCells(
        torch.full_like(masks, 5), masks, torch.zeros(len(masks), 3).long(), space(in_edges)
    )


def edges_of(mask: int) -> set[tuple[int, int]]:
    return {(x, y) for x, y in combinations(range(5), 2) if mask >> slot_of(x, y) & 1}


@pytest.mark.parametrize("in_edges", [1, 2, 3])
def test_which_cells_have_their_sources_and_leaves_joined_agrees_with_plain_loops(in_edges):
    cells = every_mask(in_edges)
    joined = leaves_joined(cells.edges, cells.space).tolist()
    right = has_exact_sources(cells).tolist()
    for mask in range(len(cells)):
        edges = edges_of(mask)
        inner = {(x, y) for x, y in edges if y < 4}
        leaves = {(op, 4) for op in (1, 2, 3) if not any(x == op for x, _ in inner)}
        assert edges_of(joined[mask]) == inner | leaves
        into = [sum(y == op for _, y in inner) for op in (1, 2, 3)]
        fits = into == [min(in_edges, op) for op in (1, 2, 3)] and edges == inner | leaves
        assert right[mask] == fits
    assert sum(right) == {1: 6, 2: 3, 3: 1}[in_edges]


def test_a_smaller_cell_has_none():
    cells = PackedCells(torch.tensor([3]), torch.tensor([5]), torch.zeros(1, 3).long(), space(1))
    assert not has_exact_sources(cells)


@pytest.mark.parametrize("in_edges", [1, 2])
def test_moves_are_all_that_there_are_and_equally_likely(in_edges):
    cells = every_mask(in_edges)
    cells = cells[has_exact_sources(cells)]
    for cell, op in product(range(len(cells)), (1, 2, 3)):
        many = cells[torch.full((4000,), cell)]
        generator = torch.Generator().manual_seed(cell)
        moves, possible = random_moves(many, torch.full((4000,), op), generator)
        sources = {x for x, y in edges_of(int(cells.edges[cell])) if y == op}
        others = set(range(op)) - sources
        wanted = {
            1 << slot_of(old, op) ^ 1 << slot_of(new, op) for old in sources for new in others
        }
        assert bool(possible.all()) == bool(possible.any()) == bool(wanted)
        if wanted:
            found, counts = moves.unique(return_counts=True)
            assert set(found.tolist()) == wanted
            assert int((counts - 4000 / len(wanted)).abs().max()) < 250
