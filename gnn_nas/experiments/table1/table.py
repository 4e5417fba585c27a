"""The paper's Table 1, ours beside theirs, as Markdown, as CSV and as a picture."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gnn_nas.config import PretrainConfig
from gnn_nas.config_file import load
from gnn_nas.errors import UserError
from gnn_nas.experiments.table1.paper import NAMES, PAPER, TABLE_COLUMNS, Column, Spread
from gnn_nas.experiments.table1.plan import Search
from gnn_nas.files import atomic_path, to_csv
from gnn_nas.run_folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNSEEN = Column("test_unseen", "Test acc., unseen trials (%)", (2, 3))
"""Ours alone, where the search has seen one of the trials."""

_REWARDS = {
    "oracle": "the mean test accuracy of three trainings",
    "single-trial": "the test accuracy of one training",
}
_UNKNOWN = "–"
_APART = 0.17
# Of a panel's width, which points and their deviations take up.
_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one loss.

    Args:
        loss: a key of `NAMES`.
        ours: by keys of columns; empty as long as there is no finished search.
        steps, anchors: of the pretraining; None without one.
    """

    loss: str
    ours: dict[str, Spread] = field(default_factory=dict)
    steps: int | None = None
    anchors: int | None = None

    @property
    def paper(self) -> dict[str, Spread]:
        """The paper's figures by keys of columns."""
        return {c.key: spread for c, spread in zip(TABLE_COLUMNS, PAPER[self.loss], strict=True)}


def read_row(loss: str, search: Search) -> Row:
    """Read what a search has found. Raises UserError: a file is damaged or of another search."""
    steps = anchors = None
    if search.checkpoint and search.checkpoint.weights.exists():
        steps, anchors = _seen(search.checkpoint)
    if not search.folder.finished:
        return Row(loss, steps=steps, anchors=anchors)
    search.check_finished()
    summary = search.folder.load_summary()
    try:
        ours = {c.key: _spread(summary["aggregated"][c.key]) for c in (*TABLE_COLUMNS, UNSEEN)}
    except (KeyError, TypeError, ValueError):
        raise UserError(
            f"{search.folder.summary} is no summary of a search: delete it and call again"
        ) from None
    return Row(loss, ours, steps, anchors)


def markdown(rows: list[Row], search: Search) -> str:
    """The table with what a reader has to know.

    Args:
        search: any of a loss's, for what all have in common.
    """
    unseen = _with_unseen(rows)
    heads = ["Loss"]
    for column in TABLE_COLUMNS:
        heads += [column.title, "paper"]
    heads += [UNSEEN.title] if unseen else []
    heads += ["Pretraining steps", "Anchors"]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for row in rows:
        line = [NAMES[row.loss]]
        for column in TABLE_COLUMNS:
            line += [_shown(row.ours.get(column.key), column)]
            line += [_shown(row.paper[column.key], column)]
        line += [_shown(row.ours.get(UNSEEN.key), UNSEEN)] if unseen else []
        lines.append([*line, _counted(row.steps), _counted(row.anchors)])
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    notes = "\n".join(f"- {note}" for note in _notes(rows, search))
    return f"# Table 1, protocol `{search.protocol}`\n\n{table}\n{notes}\n"


def csv_text(rows: list[Row]) -> str:
    """The table for programs: a mean and a deviation for every figure, ours and the paper's."""
    heads = ["loss"]
    for column in TABLE_COLUMNS:
        heads += [f"{column.key}{end}" for end in ("_mean", "_std", "_mean_paper", "_std_paper")]
    lines: list[list[object]] = [
        [*heads, f"{UNSEEN.key}_mean", f"{UNSEEN.key}_std", "steps", "anchors"]
    ]
    for row in rows:
        figures: list[float | None] = []
        for column in TABLE_COLUMNS:
            figures += [*row.ours.get(column.key, (None, None)), *row.paper[column.key]]
        figures += row.ours.get(UNSEEN.key, (None, None))
        # The csv module writes None as nothing.
        lines.append([row.loss, *figures, row.steps, row.anchors])
    return to_csv(lines)


def draw_table1(path: str | os.PathLike[str], rows: list[Row], title: str) -> None:
    """Draw every figure of the table as mean ± deviation into a PNG file. Raises ``OSError``.

    A panel for every column, a line for every loss: ours above, the paper's below.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 1.6 + 0.42 * len(rows)), layout="constrained")
    panels = figure.subplots(1, len(TABLE_COLUMNS), sharey=True)
    for axes, column in zip(panels, TABLE_COLUMNS, strict=True):
        ours = [row.ours.get(column.key, (None, None)) for row in rows]
        theirs = [row.paper[column.key] for row in rows]
        _draw(axes, ours, -_APART, column, color="tab:blue", label="ours")
        _draw(axes, theirs, _APART, column, color="0.55", label="paper (protocol validation)")
        axes.set_title(column.title, fontsize=10)
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        for line in range(1, len(rows)):
            axes.axhline(line - 0.5, color="0.9", lw=0.8, zorder=0)
        if column.key == "rank":
            axes.set_xscale("log")
        _leave_room(axes)
    panels[0].set_yticks(range(len(rows)), [NAMES[row.loss] for row in rows])
    panels[0].set_ylim(len(rows) - 0.5, -0.5)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(title, fontsize=11)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150)


def _seen(checkpoint: RunFolder) -> tuple[int, int]:
    config = load(PretrainConfig, checkpoint.config)
    return config.training.steps, config.training.steps * config.data.anchors


def _spread(figures: dict[str, float | None]) -> Spread:
    mean, deviation = figures["mean"], figures["std"]
    if any(type(each) not in (int, float, type(None)) for each in (mean, deviation)):
        raise ValueError
    return mean, deviation


def _with_unseen(rows: list[Row]) -> bool:
    return any(row.ours.get(UNSEEN.key, (None, None))[0] is not None for row in rows)


def _notes(rows: list[Row], search: Search) -> Iterator[str]:
    yield (
        f"Ours: method `{search.method}`, {search.seeds} seeds of {search.queries:,} queries, mean"
        " ± standard deviation over the seeds; the paper: 5 runs."
    )
    if search.protocol == "validation":
        yield "The protocol is `validation`, as the paper's."
    else:
        yield (
            f"The protocol is `{search.protocol}`: the search sees {_REWARDS[search.protocol]}."
            " The paper's was `validation`, so its columns and ours are not like for like."
        )
    yield (
        "Test accuracy, regret (percentage points to the best cell) and ranking are of the cell"
        " with the best reward, by its mean over three trainings; #Queries is the query that found"
        " it; SD is the standard deviation of the accuracies of all queried cells."
    )
    if _with_unseen(rows):
        yield "Unseen trials are the two trainings of that cell whose results no search saw."
    if any(not row.ours for row in rows):
        yield f"{_UNKNOWN}: not finished yet; the same call of the command goes on."
    if len({row.anchors for row in rows if row.anchors is not None}) > 1:
        yield "The checkpoints have not seen equally many anchors: see the last column."


def _shown(spread: Spread | None, column: Column) -> str:
    mean, deviation = spread or (None, None)
    if mean is None:
        return _UNKNOWN
    text = f"{mean:.{column.decimals[0]}f}"
    return text if deviation is None else f"{text} ± {deviation:.{column.decimals[1]}f}"


def _counted(number: int | None) -> str:
    return _UNKNOWN if number is None else f"{number:,}"


def _draw(
    axes: Axes, spreads: list[Spread], shift: float, column: Column, color: str, label: str
) -> None:
    means = [math.nan if mean is None else mean for mean, _ in spreads]
    deviations = [deviation or 0.0 for _, deviation in spreads]
    # No rank is less than 1, and an axis of logarithms has no place for it.
    lowest = 1.0 if column.key == "rank" else 0.0
    below = [min(d, max(m - lowest, 0)) for m, d in zip(means, deviations, strict=True)]
    places = [line + shift for line in range(len(spreads))]
    axes.errorbar(
        means,
        places,
        xerr=[below, deviations],
        fmt="o",
        ms=5,
        lw=1.3,
        color=color,
        label=label,
    )
    for mean, place in zip(means, places, strict=True):
        if not math.isnan(mean):
            axes.text(
                1,
                place,
                f"{mean:.{column.decimals[0]}f}",
                transform=axes.get_yaxis_transform(),
                ha="right",
                va="center",
                fontsize=7,
                color=color,
            )


def _leave_room(axes: Axes) -> None:
    """Keep the right end of a panel for its numbers."""
    scale = axes.xaxis.get_transform()
    low, high = scale.transform(axes.get_xlim())
    wider = scale.inverted().transform(low + (high - low) / _SHARE)
    axes.set_xlim(right=float(wider))
