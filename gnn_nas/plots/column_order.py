"""Heights of what stands in the layers of a large cell: first an order of each, then its places."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np

from gnn_nas.plots.placing import OFF_CENTRE, Thing, cheapest, climb_cost, is_vertex, joints

# Of so many things all orders are tried, of so many any two are exchanged, of more neighbours.
_FEW, _SOME = 4, 10
# Times that places go through all columns and back; later ones hardly change anything.
_SWEEPS = 3


def place_in_order(
    columns: list[list[Thing]], ways: list[list[Thing]], layer: list[int]
) -> list[np.ndarray]:
    """Good heights of everything in every column, on a grid of half steps.

    Things a step apart change their order, in all columns at once, as long as it makes the drawing
    cheaper. Then each column in turn gets the heights that cost least beside its neighbours'.

    Args:
        columns, ways, layer: as of `cheapest`.

    Shapes:
        - returns: ``[things]`` for every column
    """
    heights = [np.arange(len(column)) - (len(column) - 1) / 2 for column in columns]
    cost, least = np.inf, np.inf
    while cost < least or least == np.inf:
        least = cost
        heights, cost = cheapest(columns, list(map(_orders, heights)), ways, layer)
    places = [
        dict(zip(column, at.tolist(), strict=True))
        for column, at in zip(columns, heights, strict=True)
    ]
    highest = (max(map(len, columns)) - 1) / 2
    grid = np.arange(-highest, highest + 0.5, 0.5)
    for number in [*range(len(columns)), *reversed(range(len(columns)))] * _SWEEPS:
        costs = {thing: OFF_CENTRE * is_vertex(thing) * np.abs(grid) for thing in columns[number]}
        for start, end in joints(ways, layer, number - 1):
            costs[end] += climb_cost(start, end) * np.abs(grid - places[number - 1][start])
        for start, end in joints(ways, layer, number):
            costs[start] += climb_cost(start, end) * np.abs(grid - places[number + 1][end])
        order = sorted(places[number], key=places[number].__getitem__)
        at = _cheapest_places([costs[thing] for thing in order])
        places[number] = dict(zip(order, grid[at].tolist(), strict=True))
    return [
        np.array([place[thing] for thing in column])
        for place, column in zip(places, columns, strict=True)
    ]


def _orders(heights: np.ndarray) -> np.ndarray:
    """Heights of a column with its things in this order and in others, ``[orders, things]``."""
    count = len(heights)
    if count <= _FEW:
        return np.array(list(permutations(heights)))
    order = heights.argsort()
    orders = [heights]
    for low, high in combinations(range(count), 2):
        if count <= _SOME or high == low + 1:
            one, other = order[low], order[high]
            exchanged = heights.copy()
            exchanged[[one, other]] = heights[[other, one]]
            orders.append(exchanged)
    return np.array(orders)


def _cheapest_places(costs: list[np.ndarray]) -> list[int]:
    """Places of things in their order, two places apart at least, by dynamic programming.

    Shapes:
        - costs: of every place, ``[places]`` for every thing, the lowest one first
    """
    numbers = np.arange(len(costs[0]))
    total, choices = costs[0], []
    for cost in costs[1:]:
        # The cheapest place of the last one, up to each.
        lowest = np.minimum.accumulate(total)
        choices.append(np.maximum.accumulate(np.where(total == lowest, numbers, 0)))
        total = np.concatenate([[np.inf] * 2, cost[2:] + lowest[:-2]])
    places = [int(total.argmin())]
    for choice in reversed(choices):
        places.append(int(choice[places[-1] - 2]))
    return places[::-1]
