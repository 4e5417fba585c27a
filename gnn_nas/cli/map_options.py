"""Which cells ``embed-umap`` shows and what their colours say: options, defaults and limits."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gnn_nas.cli.common import refuse_outside
from gnn_nas.errors import UserError
from gnn_nas.function import STATISTICS
from gnn_nas.plots.cell_figures import FIGURES, figure_names
from gnn_nas.spaces.space import CellSpace

if TYPE_CHECKING:
    from gnn_nas.models.checkpoint import Checkpoint

_ANCHORS, _POSITIVES, _CELLS = 16, 7, 20_000
# Numbers of two digits fit into an anchor's point. Most cells have more positives than that, and
# neighbours of more cells would take many minutes.
_MOST_ANCHORS, _MOST_POSITIVES, _MOST_CELLS = 99, 100, 100_000
# As UMAP's graph joins so many to each cell.
LEAST_CELLS = 33
_COLOURS = ("class", "accuracy", *FIGURES, *STATISTICS)


def add_map_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--anchors``, ``--positives``, ``--cells`` and ``--color``."""
    add = parser.add_argument
    add("--anchors", type=int, metavar="N", help=f"classes (default: {_ANCHORS})")
    add("--positives", type=int, metavar="N", help=f"of every anchor (default: {_POSITIVES})")
    add(
        "--cells",
        type=int,
        nargs="?",
        const=_CELLS,
        metavar="N",
        help=f"map random cells instead of classes ({_CELLS:,} where no number is said)",
    )
    add("--color", choices=_COLOURS, metavar="WHAT", help="what colours show, see below")


def complete_map_options(arguments: argparse.Namespace) -> None:
    """Refuse impossible settings, and fill in the classes' where no random cells are asked for.

    Raises:
        UserError: settings contradict each other, or are more or less than a map can show.
    """
    given = [name for name in ("anchors", "positives") if getattr(arguments, name) is not None]
    if arguments.cells is not None:
        if given:
            raise UserError(f"--cells maps random cells: --{given[0]} has no meaning there")
        if arguments.color == "class":
            raise UserError("--cells maps random cells, which have no class: give another --color")
        refuse_outside(arguments, "cells", LEAST_CELLS, _MOST_CELLS)
        return
    if "anchors" not in given:
        arguments.anchors = _ANCHORS
    if "positives" not in given:
        arguments.positives = _POSITIVES
    refuse_outside(arguments, "anchors", 2, _MOST_ANCHORS)
    refuse_outside(arguments, "positives", 1, _MOST_POSITIVES)
    shown = arguments.anchors * (1 + arguments.positives)
    if shown < LEAST_CELLS:
        raise UserError(
            f"--anchors {arguments.anchors} with --positives {arguments.positives} are {shown}"
            f" cells: a map needs at least {LEAST_CELLS}"
        )


def refuse_colour(colour: str | None, space: CellSpace) -> None:
    """Refuse a figure that is the same of all cells. Raises :class:`UserError`."""
    known = figure_names(space)
    if colour in FIGURES and colour not in known:
        raise UserError(
            f"--color {colour}: cells of {space.name} are coloured by {' or '.join(known)},"
            " accuracy or class"
        )


def telling(colour: str | None, checkpoints: dict[str, Checkpoint]) -> str | None:
    """Name of the first checkpoint that tells the colour, where it is no statistic of any at all.

    None where there is none.

    Raises:
        UserError: the colour is a statistic, and none tells it.
    """
    known = {name: each.statistics for name, each in checkpoints.items() if each.statistics}
    if colour not in STATISTICS:
        return next(iter(known), None)
    for name, statistics in known.items():
        if colour in statistics:
            return name
    if known:
        told = "; ".join(f"{name} tells {', '.join(each)}" for name, each in known.items())
        raise UserError(f"--color {colour}: {told}")
    raise UserError(
        f"--color {colour}: {' and '.join(checkpoints)} tells no statistics: pretrain with"
        f" function in the config, statistics: [{colour}]"
    )


def default_colour(arguments: argparse.Namespace, has_accuracies: bool, space: CellSpace) -> str:
    """What colours show where nobody said it."""
    if arguments.cells is None:
        return "class"
    return "accuracy" if has_accuracies else figure_names(space)[0]
