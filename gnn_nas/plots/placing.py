"""What a placement of a cell's vertices and edges in layers costs, and the cheapest of several."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

Thing = tuple[int, int]
"""What stands in a layer: a vertex as ``(v, v)``, a passing edge as ``(source, target)``."""

# Climbs between vertices and on the way around them count more than those with which an edge leaves
# its vertex or comes to it; vertices keep to the middle.
_CROSSING = 20.0
_CLIMB_LEVEL, _CLIMB_AT_ENDS = 2.0, 1.0
OFF_CENTRE = 0.7


def cheapest(
    columns: list[list[Thing]],
    states: list[np.ndarray],
    ways: list[list[Thing]],
    layer: list[int],
) -> tuple[list[np.ndarray], float]:
    """Choose one state of every column by dynamic programming over columns.

    Args:
        columns: what stands in every layer; ways: what every edge goes through.
        layer: of every vertex.

    Shapes:
        - states: heights of a column's things, ``[states, things]`` for every column
        - returns: the heights chosen, ``[things]`` for every column, and what all of it costs
    """
    costs = [OFF_CENTRE * _off_centre(s, c) for s, c in zip(states, columns, strict=True)]
    best, choices = costs[0], []
    for number, (left, right) in enumerate(pairwise(columns)):
        steps = [
            (left.index(start), right.index(end), climb_cost(start, end))
            for start, end in joints(ways, layer, number)
        ]
        total = best[:, None] + _step_cost(states[number], states[number + 1], steps)
        choices.append(total.argmin(0))
        best = total.min(0) + costs[number + 1]
    chosen = [int(best.argmin())]
    for choice in reversed(choices):
        chosen.append(int(choice[chosen[-1]]))
    return [state[at] for state, at in zip(states, reversed(chosen), strict=True)], best.min()


def joints(ways: list[list[Thing]], layer: list[int], column: int) -> list[tuple[Thing, Thing]]:
    """What is joined between a column and the next, one of every edge there."""
    return [
        (way[at], way[at + 1])
        for way in ways
        if 0 <= (at := column - layer[way[0][0]]) < len(way) - 1
    ]


def is_vertex(thing: Thing) -> bool:
    """Whether a thing is no passing edge."""
    return thing[0] == thing[1]


def climb_cost(start: Thing, end: Thing) -> float:
    """What a step of height from one thing to the next costs."""
    return _CLIMB_LEVEL if is_vertex(start) == is_vertex(end) else _CLIMB_AT_ENDS


def _off_centre(states: np.ndarray, column: list[Thing]) -> np.ndarray:
    return (np.abs(states) * [is_vertex(thing) for thing in column]).sum(1)


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
