"""``embed-umap``: draw a controller's embeddings as a map (the paper's Fig. 2)."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.benchmarks import TITLES
from gnn_nas.benchmarks.locate import find_any_benchmark
from gnn_nas.cli.checkpoints import add_checkpoints, loss_name, open_checkpoints
from gnn_nas.cli.common import (
    MAX_SEED,
    add_benchmark,
    add_out,
    add_space,
    command_parser,
    refuse_outside,
    repeated,
    run_guarded,
)
from gnn_nas.cli.map_options import (
    LEAST_CELLS,
    add_map_options,
    complete_map_options,
    default_colour,
    refuse_colour,
    telling,
)
from gnn_nas.cli.space_choice import add_dataset, measured_path, pictured_space
from gnn_nas.config import DEFAULT_SPACE
from gnn_nas.errors import UserError
from gnn_nas.function import STATISTICS
from gnn_nas.plots.cell_figures import FIGURES
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.known import get_space

if TYPE_CHECKING:
    from gnn_nas.benchmarks.protocols import Benchmark
    from gnn_nas.config import SpaceConfig
    from gnn_nas.models.checkpoint import Checkpoint
    from gnn_nas.plots.maps.cells import MapConfig

# Of classes, beside the one that is shown.
_OTHER_DRAWS = 100

_DESCRIPTION = """\
Draw a map of a controller's embeddings by UMAP, as in the paper's Fig. 2: random anchors and, for
each, positives that are one edit away or a few. A controller that has learnt locality shows a
cluster for every anchor. Several checkpoints are drawn side by side, with the same cells. With
--cells the map shows random cells of the space instead: that of the checkpoints, or of --space.
"""

_EPILOG = """\
A map can mislead, so figures of the embeddings themselves stand beside it:
  silhouette     how much closer a cell is to its own class than to the next, from -1 to 1
  precision@1    share of cells whose nearest cell is of their own class
  MAP@R          the same for all their nearest cells, as many as the class has, by rank
  trustworthiness
                 whether neighbours in the map are so in truth: 1 is perfect, 0.5 random
  agreement of neighbours
                 of random cells: Spearman's correlation of a cell's value, which its colour shows,
                 and the mean of its 10 nearest
16 anchors are few: those of classes are also measured on 100 other draws, mean and deviation.

colours:
  class          every anchor and its positives have their own (default)
  accuracy       mean test accuracy of NAS-Bench-101, see gnn-nas import, or of NAS-Bench-201
                 (default with --cells, where the measurements are here)
  feature_norm, synflow, ...
                 what the untrained network does, as the first checkpoint tells it that was
                 pretrained to: a statistic of its config's function, see gnn-nas function --help
  edges, vertices
                 their number (edges is the default with --cells otherwise)
  parameters     of the operations at unit width, where all cells have the same edges (and the
                 default there)

examples:
  %(prog)s
  %(prog)s --checkpoint runs/gin_multisim runs/gin_nometric
  %(prog)s --checkpoint runs/gin_multisim runs/search-nao-oracle-gin_multisim/controller-0
  %(prog)s --cells --color accuracy
  %(prog)s --cells 5000 --color vertices --out runs/umap-vertices
  %(prog)s --cells --html
  %(prog)s --checkpoint runs/gin_multisim --cells --color synflow
  %(prog)s --space nasbench201 --benchmark nasbench201.npz --dataset cifar100 --cells

the folder (--out) receives:
  umap.png, umap.svg  the picture
  umap.csv            every point: coordinates, cell, class, edges, vertices,
                      accuracy
  summary.json        the figures
  config.yaml         all that decides them: the same settings give the same files, bit for bit
  umap.html           the page to explore, where --html asks for it
"""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(parser().parse_args(argv)), repeated("embed-umap", argv))


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("embed-umap", _DESCRIPTION, _EPILOG)
    add = parser.add_argument
    add_checkpoints(parser)
    add_map_options(parser)
    add_space(parser, "of the cells, where no checkpoint says it")
    add_benchmark(parser)
    add_dataset(parser)
    add("--seed", type=int, default=0, metavar="N", help="of cells and layout (default: 0)")
    add_out(parser, "runs/umap[-cells][-<checkpoint>...]")
    add(
        "--html",
        action="store_true",
        help="also write umap.html, a page to explore the same map offline: its cells as graphs,"
        " their neighbours and edit distances",
    )
    return parser


def _run(arguments: argparse.Namespace) -> None:
    refuse_outside(arguments, "seed", 0, MAX_SEED)
    complete_map_options(arguments)
    if arguments.out:
        RunFolder(arguments.out).refuse_taken(resume=True)
    described = pictured_space(arguments)
    space = get_space(described)
    refuse_colour(arguments.color, space)
    path = measured_path(arguments, described, arguments.color == "accuracy")
    checkpoints = open_checkpoints(arguments.checkpoint, described)
    teller = telling(arguments.color, checkpoints)

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from rich.progress import MofNCompleteColumn, TimeElapsedColumn

    from gnn_nas.plots.maps.cells import draw_for
    from gnn_nas.plots.maps.colours import colouring
    from gnn_nas.plots.maps.embedding_map import make_map
    from gnn_nas.plots.maps.files import figures_table, write_map_page, write_maps
    from gnn_nas.progress import Description, Progress
    from gnn_nas.spaces.index import open_index

    index = open_index(space)
    benchmark = find_any_benchmark(path, index, arguments.dataset) if path else None
    if arguments.cells and not (arguments.color or benchmark):
        see = "gnn-nas import" if described == DEFAULT_SPACE else "--benchmark"
        shown = FIGURES[default_colour(arguments, False, space)]
        print(
            f"no measurements of {TITLES.get(space.name, space.name)} are here (see {see}):"
            f" colours show the {shown}",
            file=sys.stderr,
        )
    config = _config(arguments, checkpoints, benchmark, described)
    cells, draws = draw_for(config, index, _OTHER_DRAWS)
    if len(cells) < LEAST_CELLS:
        raise UserError(
            f"space {space.name} has {len(cells)} cells: a map needs at least {LEAST_CELLS}"
        )
    out = arguments.out or _default_path(config, checkpoints)
    page = out / "umap.html"
    is_told = config.color in STATISTICS
    told = {}
    colours = None
    maps = []
    with (
        RunFolder.claimed(out, config, resume=True) as folder,
        Progress(MofNCompleteColumn(), Description(), TimeElapsedColumn()) as progress,
    ):
        task = progress.add_task("", total=len(checkpoints) + 1)
        if teller and (is_told or arguments.html):
            progress.update(task, description=f"telling function: {teller}")
            told = checkpoints[teller].tell_function(index, cells.rows)
        if config.color != "class":
            colours = colouring(config.color, index, cells.rows, benchmark, told)
        for name, checkpoint in checkpoints.items():
            progress.update(task, description=f"laying out {len(cells):,} cells: {name}")
            each = make_map(
                checkpoint.controller(config.seed),
                index,
                cells,
                config.seed,
                values=colours.values if colours else None,
                draws=draws,
                name=name,
                loss=loss_name(checkpoint),
            )
            maps.append(each)
            progress.advance(task)
        progress.update(task, description="drawing")
        write_maps(folder, config, maps, index, benchmark, colours)
        if arguments.html:
            progress.update(task, description="writing the page")
            write_map_page(page, config, maps, index, benchmark, told)
        progress.update(task, advance=1, description=f"{len(cells):,} cells")
    print(figures_table(maps, len(draws)))
    if arguments.html:
        print(f"page to explore: {os.fspath(page)}")
    shown = f"{config.color} as {teller} tells it" if is_told else config.color
    print(f"colours: {shown}; written to {os.fspath(folder.path)}")


def _config(
    arguments: argparse.Namespace,
    checkpoints: dict[str, Checkpoint],
    benchmark: Benchmark | None,
    space: str | SpaceConfig,
) -> MapConfig:
    from gnn_nas.plots.maps.cells import MapConfig

    return MapConfig(
        seed=arguments.seed,
        anchors=arguments.anchors,
        positives=arguments.positives,
        cells=arguments.cells,
        color=arguments.color or default_colour(arguments, benchmark is not None, get_space(space)),
        checkpoints=arguments.checkpoint or [None],
        weights=[each.fingerprint for each in checkpoints.values()],
        benchmark=benchmark.identity if benchmark else None,
        space=space,
    )


def _default_path(config: MapConfig, names: Iterable[str]) -> Path:
    if config.checkpoints == [None]:
        said = [] if config.space == DEFAULT_SPACE else [get_space(config.space).name]
    else:
        said = [re.sub(r"[/ ]", "-", name) for name in names]
    return Path("runs") / "-".join(["umap", *(["cells"] if config.cells else []), *said])
