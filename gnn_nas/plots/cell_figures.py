"""Figures by which the cells of a space differ, whatever is measured of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

# torch takes a second to import, and commands ask for the names before.
if TYPE_CHECKING:
    from torch import Tensor

    from gnn_nas.spaces.packed import PackedCells
    from gnn_nas.spaces.space import CellSpace

FIGURES = {
    "edges": "number of edges",
    "vertices": "number of vertices",
    "parameters": "parameters of the operations at unit width",
}
"""All figures, and what they are in words."""


# At either end, the share of cells whose told statistics share the last colour: a few far off would
# leave one colour to all others.
_TAIL = 0.01


def figure_names(space: CellSpace) -> tuple[str, ...]:
    """Those of a space: where all cells have the same edges, what their operations weigh."""
    return ("edges", "vertices") if space.wiring is None else ("parameters",)


def cell_figures(cells: PackedCells) -> dict[str, Tensor]:
    """The figures of cells by their names, float64 ``[B]`` each."""
    if cells.space.wiring is None:
        return {"edges": cells.edge_bits().sum(1).double(), "vertices": cells.vertices.double()}
    weights = cells.ops.double().new_tensor(cells.space.parameters)
    return {"parameters": weights[cells.ops].sum(1)}


def told_range(told: Tensor) -> tuple[float, float]:
    """Ends of the scale on which a told statistic is shown; a few cells lie beyond them."""
    return told.quantile(_TAIL).item(), told.quantile(1 - _TAIL).item()
