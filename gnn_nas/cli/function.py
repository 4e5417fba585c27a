"""``function``: what the untrained networks around cells do with a few images."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.cli.checkpoints import chosen_space
from gnn_nas.cli.common import (
    add_space,
    command_parser,
    refuse_below_one,
    refuse_outside,
    repeated,
    run_guarded,
)
from gnn_nas.config import MeasuringConfig
from gnn_nas.errors import UserError, reported
from gnn_nas.files import require_writable, to_csv, write_text
from gnn_nas.function import STATISTICS
from gnn_nas.spaces.known import get_space

if TYPE_CHECKING:
    from gnn_nas.function.measuring import MeasuredFunction

_MOST_CELLS, _MOST_SEEDS = 100_000, 100
_FEWEST_CELLS = 50

_DESCRIPTION = """\
Measure what the untrained networks around random cells of a space do with a few images. No
accuracy is needed, and none is used. Figures are kept in the cache folder, and a call that is
interrupted is gone on with by the same call.
"""

_EPILOG = """\
statistics:
{statistics}

Networks have 8 channels, or as many as a cell may have ops, two stacks of one cell, and get 16
images, for the readout 112 others, all at most 16 pixels high and wide.

examples:
  %(prog)s
  %(prog)s --space nasbench201 --cells 500 --seeds 3 --out nasbench201.csv
  %(prog)s --space mine.yaml --images mytask.yaml
"""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(parser().parse_args(argv)), repeated("function", argv))


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    statistics = "\n".join(
        textwrap.fill(f"{name:20} {about}", 96, initial_indent="  ", subsequent_indent=" " * 23)
        for name, about in STATISTICS.items()
    )
    parser = command_parser("function", _DESCRIPTION, _EPILOG.format(statistics=statistics))
    add = parser.add_argument
    add_space(parser, "of the cells (default: nasbench101)")
    add("--cells", type=int, default=2000, metavar="N", help="random ones (default: 2000)")
    add(
        "--images",
        metavar="digits|noise|TASK",
        help="scikit-learn's digits, Gaussian noise, or a task file with images of your own"
        " (default: digits; the cells of nasbench_graph are given a random graph)",
    )
    add(
        "--seeds",
        type=int,
        default=1,
        metavar="K",
        help="initial weights of each network, over which figures are means (default: 1)",
    )
    add("--jobs", type=int, metavar="J", help="processes (default: one for every core)")
    add("--out", type=Path, metavar="FILE.csv", help="a table of all cells and their figures")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    refuse_outside(arguments, "cells", _FEWEST_CELLS, _MOST_CELLS)
    refuse_outside(arguments, "seeds", 1, _MOST_SEEDS)
    refuse_below_one(arguments, ["jobs"])
    if out := arguments.out:
        if out.exists():
            raise UserError(f"--out {out}: it is there already: give another")
        with reported(f"cannot write {out}"):
            require_writable(out.parent)
    space = get_space(chosen_space(arguments.space, None))
    images = arguments.images or ("graph" if space.network else "digits")
    config = MeasuringConfig(cells=arguments.cells, images=images, seeds=arguments.seeds)

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.function.measuring import measure_function

    measured = measure_function(space, config, arguments.jobs)
    if out:
        with reported(f"cannot write {out}"):
            out.parent.mkdir(parents=True, exist_ok=True)
            write_text(out, _to_csv(measured))
    print(_table(measured))
    if out:
        print(f"written to {out}")


def _to_csv(measured: MeasuredFunction) -> str:
    from gnn_nas.spaces.text import to_texts

    rows = zip(to_texts(measured.cells), measured.values.tolist(), strict=True)
    return to_csv([["ops", "edges", *STATISTICS], *([*cell, *values] for cell, values in rows)])


def _table(measured: MeasuredFunction) -> str:
    """Mean and deviation of every statistic, and how alike it is of two seeds, if there are."""
    import torch

    deviations, means = torch.std_mean(measured.values, 0)
    lines = [f"{f'{len(measured.cells):,} cells':20} {'mean':>10} {'deviation':>10}"]
    for number, name in enumerate(STATISTICS):
        lines.append(f"{name:20} {means[number]:10.4f} {deviations[number]:10.4f}")
    if len(measured.by_seed) > 1:
        lines[0] += f" {'two seeds':>10}"
        others = ~torch.eye(len(measured.by_seed), dtype=torch.bool)
        for number in range(len(STATISTICS)):
            alike = torch.corrcoef(measured.by_seed[:, :, number])[others].mean()
            lines[1 + number] += f" {alike:10.4f}"
        lines.append("two seeds: mean correlation between the figures of two seeds")
    return "\n".join(lines)
