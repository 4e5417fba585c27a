"""The paper's Table 1, ours beside theirs, as Markdown and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gnn_nas.config import PretrainConfig
from gnn_nas.config_file import load
from gnn_nas.errors import UserError
from gnn_nas.experiments.table1.paper import NAMES, PAPER, TABLE_COLUMNS, Column, Spread
from gnn_nas.experiments.table1.plan import Search
from gnn_nas.files import to_csv
from gnn_nas.run_folder import RunFolder

UNSEEN = Column("test_unseen", "Test acc., unseen trials (%)", (2, 3))
"""Ours alone, where the search has seen one of the trials."""

_REWARDS = {
    "oracle": "the mean test accuracy of three trainings",
    "single-trial": "the test accuracy of one training",
}
_UNKNOWN = "–"


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
