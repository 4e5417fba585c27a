"""A second opinion on positives from networkx, which shares no code with our own distance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import networkx as nx
import torch
from torch import Tensor

from gnn_nas.spaces.nasbench101 import NASBENCH101
from gnn_nas.spaces.positives import PositiveSampler
from gnn_nas.spaces.space import CellSpace

if TYPE_CHECKING:
    from torch_geometric.data import Data

# More than any edit script costs, so that input and output are only ever paired with themselves:
# removing and adding them anew saves nothing.
_FORBIDDEN = 1000


@dataclass(frozen=True)
class PositivesCheck:
    """What networkx found in a sample of positives.

    Attributes:
        checked_pairs: pairs measured, anchor with positive and positive with positive.
        max_anchor_distance: largest distance of a positive from its anchor, at most the space's
            ``max_edits``.
        max_positive_distance: largest distance between two positives of an anchor, at most twice
            that.
        violations: one sentence for every pair out of bounds; empty if all is well.
    """

    checked_pairs: int
    max_anchor_distance: int
    max_positive_distance: int
    violations: list[str]


def networkx_distance(
    first: Data,
    second: Data,
    upper_bound: int | None = None,
    space: CellSpace = NASBENCH101,
) -> int | None:
    """Edit distance of two cells by ``networkx.graph_edit_distance``, about 4 ms up to 6 edits.

    No timeout is set, so the result does not depend on the machine's speed.

    Args:
        upper_bound: distances above it are not determined, which makes the search much faster.
        space: of both; where its wiring is fixed a vertex stands for the one of its number alone.

    Returns:
        the distance, or ``None`` where it exceeds ``upper_bound``
    """
    # An edge in place of another is one edit.
    edge_cost = 0.5 if space.in_edges else 1
    distance = nx.graph_edit_distance(
        _to_networkx(first, space),
        _to_networkx(second, space),
        node_subst_cost=_substitution_cost,
        edge_del_cost=lambda _: edge_cost,
        edge_ins_cost=lambda _: edge_cost,
        upper_bound=upper_bound,
    )
    return None if distance is None else round(distance)


def check_positives(
    sampler: PositiveSampler, anchors: Tensor, count: int, generator: torch.Generator
) -> PositivesCheck:
    """Draw positives and measure every pair of them and of each with its anchor.

    A positive must be one to ``num_edits`` edits from its anchor, two positives of an anchor at
    most twice the space's ``max_edits`` from each other. With 7 positives an anchor gives 28 pairs.

    Shapes:
        - anchors: ``[B]``, rows of the cell table
    """
    space = sampler.table.space
    most = space.max_edits
    positives = sampler.sample(anchors, count, generator)
    anchor_cells = sampler.table.cells[anchors].to_batch().to_data_list()
    cells = positives.cells.to_data_list()
    anchor_distances, positive_distances, violations = [], [], []
    for number, (row, anchor) in enumerate(zip(anchors.tolist(), anchor_cells, strict=True)):
        own = range(number * count, (number + 1) * count)
        for i in own:
            distance = _measure(anchor, cells[i], most, space)
            anchor_distances.append(distance)
            edits = int(positives.num_edits[i])
            if not 1 <= distance <= edits:
                violations.append(
                    f"row {row}: a positive made by {edits} edits is at distance {distance}"
                )
        for i, j in combinations(own, 2):
            distance = _measure(cells[i], cells[j], 2 * most, space)
            positive_distances.append(distance)
            if distance > 2 * most:
                violations.append(f"row {row}: two positives are at distance {distance}")
    return PositivesCheck(
        len(anchor_distances) + len(positive_distances),
        max(anchor_distances, default=0),
        max(positive_distances, default=0),
        violations,
    )


def _measure(first: Data, second: Data, expected: int, space: CellSpace) -> int:
    """The distance, fast if it is as small as expected."""
    distance = networkx_distance(first, second, expected, space)
    if distance is None:
        distance = networkx_distance(first, second, space=space)
    assert distance is not None, "without a bound there is one"
    return distance


def _to_networkx(cell: Data, space: CellSpace) -> nx.DiGraph:
    labels = cell.x.argmax(1).tolist()
    last = len(labels) - 1
    graph = nx.DiGraph()
    # networkx pairs vertices in this order: with the certain ones first it can discard earlier.
    for vertex in (0, last, *range(1, last)):
        is_end = vertex in (0, last)
        place = labels[vertex] if is_end else vertex if space.wiring else None
        graph.add_node(vertex, label=labels[vertex], place=(is_end, place))
    edges = cell.edge_index.T.tolist()
    # Those of the output follow from the others then.
    graph.add_edges_from((x, y) for x, y in edges if y < last or not space.in_edges)
    return graph


def _substitution_cost(first: dict[str, Any], second: dict[str, Any]) -> int:
    if first["place"] != second["place"]:
        return _FORBIDDEN
    return int(first["label"] != second["label"])
