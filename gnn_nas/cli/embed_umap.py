"""``embed-umap``: draw a controller's embeddings as a map (the paper's Fig. 2)."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.benchmarks.locate import benchmark_path, find_benchmark, has_benchmark
from gnn_nas.cli.checkpoints import add_checkpoints, loss_name, open_checkpoints
from gnn_nas.cli.common import (
    MAX_SEED,
    add_benchmark,
    add_out,
    command_parser,
    refuse_outside,
    repeated,
    run_guarded,
)
from gnn_nas.cli.map_options import add_map_options, complete_map_options, default_colour
from gnn_nas.run_folder import RunFolder

if TYPE_CHECKING:
    from gnn_nas.benchmarks.nasbench101 import NASBench101
    from gnn_nas.models.checkpoint import Checkpoint
    from gnn_nas.plots.maps.cells import MapConfig
    from gnn_nas.spaces.table import CellTable

# Of classes, beside the one that is shown.
_OTHER_DRAWS = 100

_DESCRIPTION = """\
Draw a map of a controller's embeddings by UMAP, as in the paper's Fig. 2: random anchors and, for
each, positives that are one to three edits away. A controller that has learnt locality shows a
cluster for every anchor. Several checkpoints are drawn side by side, with the same cells. With
--cells the map shows random cells of NAS-Bench-101 instead.
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
  accuracy       mean test accuracy of NAS-Bench-101, see gnn-nas import (default with --cells,
                 where the measurements are here)
  edges, vertices
                 their number (edges is the default with --cells otherwise)

examples:
  %(prog)s
  %(prog)s --checkpoint runs/gin_multisim runs/gin_nometric
  %(prog)s --checkpoint runs/gin_multisim runs/search-nao-oracle-gin_multisim/controller-0
  %(prog)s --cells --color accuracy
  %(prog)s --cells 5000 --color vertices --out runs/umap-vertices
  %(prog)s --cells --html

the folder (--out) receives:
  umap.png, umap.svg  the picture
  umap.csv            every point: coordinates, cell, class, edges, vertices, accuracy
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
    add_benchmark(parser)
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
    if arguments.color == "accuracy" or arguments.benchmark:
        benchmark_path(arguments.benchmark)
    checkpoints = open_checkpoints(arguments.checkpoint)

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from rich.progress import MofNCompleteColumn, TimeElapsedColumn

    from gnn_nas.plots.maps.cells import draw_for
    from gnn_nas.plots.maps.colours import colouring
    from gnn_nas.plots.maps.embedding_map import make_map
    from gnn_nas.plots.maps.files import figures_table, write_map_page, write_maps
    from gnn_nas.progress import Description, Progress
    from gnn_nas.spaces.table import open_table

    table = open_table()
    benchmark = _benchmark(arguments, table)
    config = _config(arguments, checkpoints, benchmark)
    cells, draws = draw_for(config, table, _OTHER_DRAWS)
    path = arguments.out or _default_path(config, checkpoints)
    page = path / "umap.html"
    colours = None
    if config.color != "class":
        colours = colouring(config.color, table, cells.rows, benchmark)
    maps = []
    with (
        RunFolder.claimed(path, config, resume=True) as folder,
        Progress(MofNCompleteColumn(), Description(), TimeElapsedColumn()) as progress,
    ):
        task = progress.add_task("", total=len(checkpoints) + 1)
        for name, checkpoint in checkpoints.items():
            progress.update(task, description=f"laying out {len(cells):,} cells: {name}")
            each = make_map(
                checkpoint.controller(config.seed),
                table,
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
        write_maps(folder, config, maps, table, benchmark, colours)
        if arguments.html:
            progress.update(task, description="writing the page")
            write_map_page(page, config, maps, table, benchmark)
        progress.update(task, advance=1, description=f"{len(cells):,} cells")
    print(figures_table(maps, len(draws)))
    if arguments.html:
        print(f"page to explore: {os.fspath(page)}")
    print(f"colours: {config.color}; written to {os.fspath(folder.path)}")


def _benchmark(arguments: argparse.Namespace, table: CellTable) -> NASBench101 | None:
    """The measurements; they may be missing where nothing asks for them."""
    if arguments.color == "accuracy" or arguments.benchmark or has_benchmark():
        return find_benchmark(arguments.benchmark, table)
    if arguments.cells and not arguments.color:
        print(
            "no measurements of NAS-Bench-101 are here (see gnn-nas import): colours show the"
            " number of edges",
            file=sys.stderr,
        )
    return None


def _config(
    arguments: argparse.Namespace,
    checkpoints: dict[str, Checkpoint],
    benchmark: NASBench101 | None,
) -> MapConfig:
    from gnn_nas.plots.maps.cells import MapConfig

    return MapConfig(
        seed=arguments.seed,
        anchors=arguments.anchors,
        positives=arguments.positives,
        cells=arguments.cells,
        color=arguments.color or default_colour(arguments, benchmark is not None),
        checkpoints=arguments.checkpoint or [None],
        weights=[each.fingerprint for each in checkpoints.values()],
        benchmark=benchmark.identity if benchmark else None,
    )


def _default_path(config: MapConfig, names: Iterable[str]) -> Path:
    said = [] if config.checkpoints == [None] else [re.sub(r"[/ ]", "-", name) for name in names]
    return Path("runs") / "-".join(["umap", *(["cells"] if config.cells else []), *said])
