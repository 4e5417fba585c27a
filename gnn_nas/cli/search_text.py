"""What a search prints when it has ended, and what its folder is called."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.spaces import nasbench201, nasbench_graph

if TYPE_CHECKING:
    from gnn_nas.spaces.index import CellIndex

# How cells of a space are written as one line.
_TEXTS = {
    nasbench201.NASBENCH201: nasbench201.to_text,
    nasbench_graph.NASBENCH_GRAPH: nasbench_graph.to_text,
}


def default_folder(arguments: argparse.Namespace, subject: str) -> Path:
    """The folder of a search whose ``--out`` was not said.

    Args:
        subject: the protocol, or the name of the task or table.
    """
    names = ["search", arguments.method.rpartition(":")[2], subject]
    if arguments.checkpoint:
        names.append(Path(arguments.checkpoint).resolve().name)
    return Path("runs") / "-".join(names)


def figures_text(
    subject: str,
    summary: dict[str, Any],
    labels: Mapping[str, str],
    shown: Callable[[float], str],
    width: int = 10,
) -> str:
    """A table of figures over the seeds; those that no seed has are left out.

    Args:
        summary: of the search; labels: of its aggregated figures, in their order; where a figure
            is given by numbers of queries, these are put in for ``{}``.
        shown: one figure as text; width: of a column.
    """
    spreads, seeds = summary["aggregated"], summary["seeds"]
    heads = "".join(f"{head:>{width}}" for head in ("mean", "std", "worst"))
    lines = [f"{summary['method'] + ', ' + subject:36}{heads}"]
    named = []
    for name, label in labels.items():
        by_count = spreads[name]
        # One of several may be called as a spread's own figures are.
        if not isinstance(by_count.get("mean", {}), dict):
            by_count = {"": by_count}
        named += [(label.replace("{}", count), spread) for count, spread in by_count.items()]
    for label, spread in named:
        if spread["mean"] is None:
            continue
        figures = (spread["mean"], spread["std"], spread["worst"])
        texts = ("–" if figure is None else shown(figure) for figure in figures)
        line = f"{label:36}" + "".join(f"{text:>{width}}" for text in texts)
        if spread.get("reached", seeds) < seeds:
            line += f"  reached by {spread['reached']} of {seeds}"
        lines.append(line)
    return "\n".join(lines)


def best_cell_text(best: dict[str, Any] | None, table: CellIndex) -> str:
    """The best cell of a search's summary as text."""
    from gnn_nas.plots.draw import cell_text

    if best is None:
        return "every evaluation failed: the history says why"
    row = table.row_of_hash(best["hash"])
    cell = cell_text(table.cells[row : row + 1])
    if to_text := _TEXTS.get(table.space):
        cell = f"{to_text(table.cells[row : row + 1])}\n{cell}"
    return f"\nbest cell: {best['hash']} (seed {best['seed']})\n{cell}\n"
