"""Where to draw a cell's vertices and edges: layers from left to right, edges around vertices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise, permutations

import numpy as np

from gnn_nas.spaces.packed import PackedCells
from gnn_nas.spaces.space import SLOT_SOURCES, SLOT_TARGETS

# What placements cost. Climbs between vertices and on the way around them count more than those
# with which an edge leaves its vertex or comes to it; vertices keep to the middle.
_CROSSING = 20.0
_CLIMB_LEVEL, _CLIMB_AT_ENDS = 2.0, 1.0
_OFF_CENTRE = 0.7


@dataclass(frozen=True)
class CellLayout:
    """A drawing of one cell, without a picture.

    Attributes:
        vertices: layer and height of every vertex, input first.
        edges: for every edge, by source and target, the points it goes through, a layer each.
    """

    vertices: list[tuple[int, float]]
    edges: dict[tuple[int, int], list[tuple[int, float]]]


def lay_out(cell: PackedCells) -> CellLayout:
    """Lay out a batch of one pruned cell.

    A vertex is in the layer of its longest path from the input. An edge that passes a layer gets a
    place of its own there, so it runs through no vertex. Of all placements on a grid of half steps
    the one with the fewest crossings and the straightest edges is taken (Sugiyama et al. 1981).
    """
    vertices = int(cell.vertices)
    edges = [
        (SLOT_SOURCES[slot], SLOT_TARGETS[slot])
        for slot in cell.edge_bits()[0].nonzero().flatten().tolist()
    ]
    layer = [0] * vertices
    for source, target in edges:  # ascending targets: every source is final
        layer[target] = max(layer[target], layer[source] + 1)

    # What stands in each layer: a vertex as (v, v), a passing edge as (source, target).
    columns: list[list[tuple[int, int]]] = [[] for _ in range(layer[-1] + 1)]
    for vertex in range(vertices):
        columns[layer[vertex]].append((vertex, vertex))
    ways = {}
    for source, target in edges:
        passing = range(layer[source] + 1, layer[target])
        for column in passing:
            columns[column].append((source, target))
        ways[source, target] = [(source, source), *[(source, target)] * len(passing)]
        ways[source, target].append((target, target))
    heights = _place(columns, list(ways.values()), layer)
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
    columns: list[list[tuple[int, int]]], ways: list[list[tuple[int, int]]], layer: list[int]
) -> list[dict[tuple[int, int], float]]:
    """The cheapest height of everything in every column, by dynamic programming over columns."""
    height = max(map(len, columns))
    states = [_states(len(column), height) for column in columns]
    costs = [_OFF_CENTRE * _off_centre(s, c) for s, c in zip(states, columns, strict=True)]
    best, choices = costs[0], []
    for number, (left, right) in enumerate(pairwise(columns)):
        steps = [
            (left.index(way[at]), right.index(way[at + 1]), _climb_cost(way[at], way[at + 1]))
            for way in ways
            if 0 <= (at := number - layer[way[0][0]]) < len(way) - 1
        ]
        total = best[:, None] + _step_cost(states[number], states[number + 1], steps)
        choices.append(total.argmin(0))
        best = total.min(0) + costs[number + 1]
    chosen = [int(best.argmin())]
    for choice in reversed(choices):
        chosen.append(int(choice[chosen[-1]]))
    return [
        dict(zip(column, state[index].tolist(), strict=True))
        for column, state, index in zip(columns, states, reversed(chosen), strict=True)
    ]


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


def _off_centre(states: np.ndarray, column: list[tuple[int, int]]) -> np.ndarray:
    return (np.abs(states) * [_is_vertex(thing) for thing in column]).sum(1)


def _climb_cost(start: tuple[int, int], end: tuple[int, int]) -> float:
    return _CLIMB_LEVEL if _is_vertex(start) == _is_vertex(end) else _CLIMB_AT_ENDS


def _step_cost(
    left: np.ndarray, right: np.ndarray, steps: list[tuple[int, int, float]]
) -> np.ndarray:
    """What the edges between two columns cost, for every pair of their states."""
    cost = np.zeros((len(left), len(right)))
    for number, (a, b, climb) in enumerate(steps):
        cost += climb * np.abs(left[:, a, None] - right[:, b])
        for c, d, _ in steps[:number]:
            sides = (left[:, a] - left[:, c])[:, None] * (right[:, b] - right[:, d])
            cost += _CROSSING * (sides < 0)
    return cost


def _is_vertex(thing: tuple[int, int]) -> bool:
    source, target = thing
    return source == target
