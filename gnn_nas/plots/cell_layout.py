"""Where to draw a cell's vertices and edges: layers from left to right, edges around vertices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise, permutations
from math import comb, factorial

import numpy as np

from gnn_nas.plots.column_order import place_in_order
from gnn_nas.plots.placing import Thing, cheapest
from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import node_edges

# Columns whose states make more pairs are ordered instead: every cell of seven vertices and nine
# edges has fewer.
_MOST_PAIRS = 80_000


@dataclass(frozen=True)
class CellLayout:
    """A drawing of one cell, without a picture.

    Attributes:
        vertices: layer and height of every vertex, input first; where operations are on edges, of
            every node.
        edges: for every edge, by source and target, the points it goes through, a layer each.
    """

    vertices: list[tuple[int, float]]
    edges: dict[tuple[int, int], list[tuple[int, float]]]


def lay_out(cell: PackedCells) -> CellLayout:
    """Lay out a batch of one pruned cell.

    A vertex is in the layer of its longest path from the input. An edge that passes a layer gets a
    place of its own there, so it runs through no vertex. Of all placements on a grid of half steps
    the one with the fewest crossings and the straightest edges is taken (Sugiyama et al. 1981);
    cells with too many placements get a good one.
    """
    if cell.space.nodes:
        return _lay_out_nodes(cell.space.nodes)
    slots = cell.edge_bits()[0].nonzero().flatten().tolist()
    return _lay_out(int(cell.vertices), [cell.space.slots[slot] for slot in slots])


@cache
def _lay_out_nodes(nodes: int) -> CellLayout:
    """Nodes in a line, edges past nodes in arcs below it and above by turns, longer ones outside.

    Nodes are in even layers, and the operation of an edge is at the middle of its points. Nothing
    crosses, as a space has four nodes at most.
    """
    edges = {}
    for source, target in node_edges(nodes):
        aside = float(target - source - 1) * (1 if target % 2 else -1)
        passing = [(layer, aside) for layer in range(2 * source + 1, 2 * target)]
        edges[source, target] = [(2 * source, 0.0), *passing, (2 * target, 0.0)]
    return CellLayout([(2 * node, 0.0) for node in range(nodes)], edges)


def _lay_out(vertices: int, edges: list[tuple[int, int]]) -> CellLayout:
    layer = [0] * vertices
    for source, target in edges:  # ascending targets: every source is final
        layer[target] = max(layer[target], layer[source] + 1)

    columns: list[list[Thing]] = [[] for _ in range(layer[-1] + 1)]
    for vertex in range(vertices):
        columns[layer[vertex]].append((vertex, vertex))
    ways = {}
    for source, target in edges:
        passing = range(layer[source] + 1, layer[target])
        for column in passing:
            columns[column].append((source, target))
        ways[source, target] = [(source, source), *[(source, target)] * len(passing)]
        ways[source, target].append((target, target))
    heights = [
        dict(zip(column, placed.tolist(), strict=True))
        for column, placed in zip(columns, _place(columns, list(ways.values()), layer), strict=True)
    ]
    return CellLayout(
        [(layer[vertex], heights[layer[vertex]][vertex, vertex]) for vertex in range(vertices)],
        {
            (source, target): [
                (column, heights[column][stop]) for column, stop in enumerate(way, layer[source])
            ]
            for (source, target), way in ways.items()
        },
    )


def _place(
    columns: list[list[Thing]], ways: list[list[Thing]], layer: list[int]
) -> list[np.ndarray]:
    """Heights of everything in every column."""
    height = max(map(len, columns))
    counts = [_num_states(len(column), height) for column in columns]
    if max(left * right for left, right in pairwise(counts)) > _MOST_PAIRS:
        return place_in_order(columns, ways, layer)
    states = [_states(len(column), height) for column in columns]
    return cheapest(columns, states, ways, layer)[0]


def _num_states(count: int, height: int) -> int:
    return comb(2 * height - count, count) * factorial(count)


@cache
def _states(count: int, height: int) -> np.ndarray:
    """All ways to place so many things at least one step apart, ``[states, count]``."""
    states = [
        placed
        for places in combinations(range(2 * height - 1), count)
        if all(b - a > 1 for a, b in pairwise(places))
        for placed in permutations(places)
    ]
    return (np.array(states, dtype=float) - (height - 1)) / 2
