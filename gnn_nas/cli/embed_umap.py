"""``embed-umap``: draw a controller's embeddings as a map (the paper's Fig. 2)."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.cli.checkpoints import loss_name, open_checkpoints
from gnn_nas.cli.common import add_benchmark, run_guarded
from gnn_nas.errors import UserError
from gnn_nas.run_folder import RunFolder

if TYPE_CHECKING:
    from gnn_nas.analysis.maps.config import MapConfig
    from gnn_nas.benchmarks.nasbench101 import NASBench101
    from gnn_nas.cells.table import CellTable
    from gnn_nas.search.checkpoint import Checkpoint

_ANCHORS, _POSITIVES, _CELLS = 16, 7, 20_000
# Numbers of two digits fit into an anchor's point. Most cells have more positives than that, and
# neighbours of more cells would take many minutes.
_MOST_ANCHORS, _MOST_POSITIVES, _MOST_CELLS = 99, 100, 100_000
# As UMAP's graph joins so many to each cell.
_LEAST_CELLS = 33
_OTHER_DRAWS = 100
_COLOURS = ("class", "accuracy", "edges", "vertices")

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
  accuracy       mean test accuracy of NAS-Bench-101, see import-nasbench (default with --cells,
                 where the measurements are here)
  edges, vertices
                 their number (edges is the default with --cells otherwise)

examples:
  embed-umap
  embed-umap --checkpoint runs/gin_multisim runs/gin_nometric
  embed-umap --checkpoint runs/gin_multisim runs/search-nao-oracle-gin_multisim/controller-0
  embed-umap --cells --color accuracy
  embed-umap --cells 5000 --color vertices --out runs/umap-vertices
  embed-umap --cells --html

the folder (--out) receives:
  umap.png, umap.svg  the picture
  umap.csv            every point: coordinates, cell, class, edges, vertices, accuracy
  summary.json        the figures
  config.yaml         all that decides them: the same settings give the same files, bit for bit
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    arguments = _parser().parse_args(argv)
    return run_guarded(lambda: _run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="embed-umap",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--checkpoint",
        nargs="+",
        action="extend",
        metavar="DIR",
        help="folders of pretraining runs or of a search's controllers, none for a controller from"
        " scratch (default: runs/gin_multisim, else the weights that come with the package)",
    )
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
    add("--color", choices=_COLOURS, help="what colours show, see below")
    add_benchmark(parser)
    add("--seed", type=int, default=0, metavar="N", help="of cells and layout (default: 0)")
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help="the folder (default: runs/umap[-cells][-<checkpoint>...])",
    )
    add(
        "--html",
        action="store_true",
        help="also write umap.html, a page to explore the same map offline: its cells as graphs,"
        " their neighbours and edit distances",
    )
    return parser


def _run(arguments: argparse.Namespace) -> None:
    _check(arguments)

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    screen = Console(stderr=True)
    with screen.status("opening the search space (enumerated on the first call)"):
        from gnn_nas.analysis.maps.cells import draw_for
        from gnn_nas.cells.table import load_table

        checkpoints = open_checkpoints(arguments.checkpoint)
        table = load_table()
        benchmark = _benchmark(arguments, table)
        config = _config(arguments, checkpoints, benchmark)
        cells, draws = draw_for(config, table, _OTHER_DRAWS)
        path = arguments.out or _default_path(config, checkpoints)
        folder = RunFolder.create(path, config, resume=True)

    from gnn_nas.analysis.maps.colours import colouring
    from gnn_nas.analysis.maps.embedding_map import make_map
    from gnn_nas.analysis.maps.files import write_maps
    from gnn_nas.analysis.maps.page import write_map_page
    from gnn_nas.analysis.maps.summary import figures_table

    colours = None
    if config.color != "class":
        colours = colouring(config.color, table, cells.rows, benchmark)
    maps = []
    columns = (MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=screen) as progress:
        task = progress.add_task("", total=len(checkpoints) + 1)
        for name, checkpoint in checkpoints.items():
            progress.update(task, description=f"laying out {len(cells):,} cells: {name}")
            each = make_map(
                checkpoint.controller(config.seed),
                table,
                cells,
                config.seed,
                values=colours and colours.values,
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
            controllers = {name: each.controller(config.seed) for name, each in checkpoints.items()}
            write_map_page(folder.path / "umap.html", config, maps, controllers, table, benchmark)
        progress.update(task, advance=1, description=f"{len(cells):,} cells")
    print(figures_table(maps, len(draws)))
    print(f"colours: {config.color}; written to {os.fspath(folder.path)}")


def _check(arguments: argparse.Namespace) -> None:
    """Refuse impossible settings, and fill in those that depend on whether classes are mapped."""
    if not 0 <= arguments.seed < 2**32:
        raise UserError(f"--seed must be from 0 to 2^32 - 1, not {arguments.seed}")
    given = [name for name in ("anchors", "positives") if getattr(arguments, name) is not None]
    if arguments.cells is not None:
        if given:
            raise UserError(f"--cells maps random cells: --{given[0]} has no meaning there")
        if arguments.color == "class":
            raise UserError("--cells maps random cells, which have no class: give another --color")
        _refuse_outside("cells", arguments.cells, _LEAST_CELLS, _MOST_CELLS)
        return
    if "anchors" not in given:
        arguments.anchors = _ANCHORS
    if "positives" not in given:
        arguments.positives = _POSITIVES
    _refuse_outside("anchors", arguments.anchors, 2, _MOST_ANCHORS)
    _refuse_outside("positives", arguments.positives, 1, _MOST_POSITIVES)
    shown = arguments.anchors * (1 + arguments.positives)
    if shown < _LEAST_CELLS:
        raise UserError(
            f"--anchors {arguments.anchors} with --positives {arguments.positives} are {shown}"
            f" cells: a map needs at least {_LEAST_CELLS}"
        )


def _refuse_outside(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UserError(f"--{name} must be from {least} to {most}, not {value}")


def _benchmark(arguments: argparse.Namespace, table: CellTable) -> NASBench101 | None:
    """The measurements; they may be missing where nothing asks for them."""
    from gnn_nas.benchmarks.locate import VARIABLE, default_path, find_benchmark

    asked = arguments.color == "accuracy" or arguments.benchmark
    if asked or os.environ.get(VARIABLE) or default_path().exists():
        return find_benchmark(arguments.benchmark, table)
    if arguments.cells and not arguments.color:
        print(
            "no measurements of NAS-Bench-101 are here (see import-nasbench): colours show the"
            " number of edges",
            file=sys.stderr,
        )
    return None


def _config(
    arguments: argparse.Namespace,
    checkpoints: dict[str, Checkpoint],
    benchmark: NASBench101 | None,
) -> MapConfig:
    from gnn_nas.analysis.maps.config import MapConfig

    default = "class"
    if arguments.cells:
        default = "accuracy" if benchmark else "edges"
    return MapConfig(
        seed=arguments.seed,
        anchors=arguments.anchors,
        positives=arguments.positives,
        cells=arguments.cells,
        color=arguments.color or default,
        checkpoints=arguments.checkpoint or [None],
        weights=[each.fingerprint for each in checkpoints.values()],
        benchmark=benchmark
        and f"NAS-Bench-101, {len(benchmark)} cells, best {benchmark.best_test:.7f}",
    )


def _default_path(config: MapConfig, names: Iterable[str]) -> Path:
    said = [] if config.checkpoints == [None] else [re.sub(r"[/ ]", "-", name) for name in names]
    return Path("runs") / "-".join(["umap", *(["cells"] if config.cells else []), *said])


if __name__ == "__main__":
    sys.exit(main())
