"""``export-cell``: a cell as a network to take away."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.cli.cell_choice import LEAST_PREFIX, best_hash, checked_prefix, row_of_prefix
from gnn_nas.cli.common import (
    add_out,
    command_parser,
    refuse_below_one,
    repeated,
    run_guarded,
)
from gnn_nas.cli.network_sizes import add_sizes, chosen_sizes
from gnn_nas.errors import UserError, reported
from gnn_nas.export_folder import filled_at_once, refuse_filled
from gnn_nas.module_weights import load_into

if TYPE_CHECKING:
    from gnn_nas.spaces.table import CellTable
    from gnn_nas.tasks.network import CellNetwork, NetworkConfig

# Of the folder's name.
_SHOWN_HASH = 8

_DESCRIPTION = """\
Export a cell as a network: the skeleton in which NAS-Bench-101 trains its cells (a stem, stacks of
the same cell, average pooling, a dense layer), in any width and depth and for any images. The cell
is named by its module hash, or by the beginning of it, or is the best one that a search has found.
"""

_EPILOG = """\
examples:
  %(prog)s 00005c142e6f48ac74fdcf73e3439874
  %(prog)s 00005c14 --onnx
  %(prog)s --from runs/search-nao-oracle
  %(prog)s --from runs/search-nao-digits --onnx --image-size 8
  %(prog)s 00005c14 --stem-channels 16 --stacks 2 --cells-per-stack 1 --in-channels 1
  %(prog)s 00005c14 --weights trained.safetensors

the folder (--out) receives:
  network.py           the cell spelled out, and build(), which gives the network; made to be read
                       and changed, it needs this package
  cell.png, cell.svg   the cell drawn
  weights.safetensors  the trained weights, where there are any; build() loads them
  network.onnx         the network for other runtimes, with --onnx; where it is not trained it has
                       initial weights, good for measuring its speed

In the folder, this gives the network:
  python -c "import network; print(network.build())"
"""


def main(argv: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(parser().parse_args(argv)), repeated("export-cell", argv))


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = command_parser("export-cell", _DESCRIPTION, _EPILOG)
    add = parser.add_argument
    add(
        "hash",
        nargs="?",
        metavar="HASH",
        help=f"module hash of the cell, or its first {LEAST_PREFIX} or more digits",
    )
    add(
        "--from",
        dest="search",
        type=Path,
        metavar="DIR",
        help="folder of a finished search: takes the cell with the best reward, and where"
        " networks were trained their sizes and its weights; sizes that a task of your own does not"
        " tell must be given",
    )
    add_out(parser, f"runs/export-<first {_SHOWN_HASH} digits of the hash>")
    add(
        "--weights",
        type=Path,
        metavar="FILE",
        help="trained weights of this network, a state_dict as safetensors (default: those in DIR);"
        " sizes that its metadata hold need not be given",
    )
    add("--onnx", action="store_true", help="also write network.onnx; needs onnx and onnxscript")
    add(
        "--image-size",
        type=int,
        default=32,
        metavar="N",
        help="height and width of the images that network.onnx takes (default: 32)",
    )
    add_sizes(parser)
    return parser


def _run(arguments: argparse.Namespace) -> None:
    refuse_below_one(arguments, ("image_size",))
    if (arguments.hash is None) == (arguments.search is None):
        raise UserError("give either the hash of a cell or --from with the folder of a search")
    wanted = checked_prefix(arguments.hash) if arguments.hash else best_hash(arguments.search)
    if arguments.out:
        refuse_filled(arguments.out)
    if arguments.weights:
        with reported(f"{arguments.weights}: cannot read the weights"):
            arguments.weights.stat()

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.plots.draw import cell_text
    from gnn_nas.spaces.table import open_table
    from gnn_nas.tasks.network import CellNetwork
    from gnn_nas.tasks.network_files import read_weights, require_onnx
    from gnn_nas.tasks.network_size import parameter_counts

    weights = arguments.weights or _weights_of(arguments.search)
    tensors, stored = read_weights(weights) if weights else (None, None)
    config = chosen_sizes(arguments, stored)
    table = open_table()
    row = row_of_prefix(wanted, table)
    cell, module_hash = table.cells[row : row + 1], table.hash_of(row)
    parameters = int(parameter_counts(cell, config))
    network = None
    if arguments.onnx:
        require_onnx(parameters)
    if weights or arguments.onnx:
        network = CellNetwork(cell, config, seed=0)
    if weights:
        load_into(network, tensors, weights)
    folder = arguments.out or Path("runs") / f"export-{module_hash[:_SHOWN_HASH]}"
    with filled_at_once(folder) as beside:
        _write(beside, arguments, table, row, config, network, bool(weights))
    print(f"cell {module_hash}, a network of {parameters:,} parameters\n{cell_text(cell)}")
    print(f"written to {os.fspath(folder)}: {', '.join(sorted(os.listdir(folder)))}")


def _write(
    folder: Path,
    arguments: argparse.Namespace,
    table: CellTable,
    row: int,
    config: NetworkConfig,
    network: CellNetwork | None,
    is_trained: bool,
) -> None:
    from gnn_nas.files import write_bytes, write_text
    from gnn_nas.plots.draw import cell_svg, save_cell
    from gnn_nas.tasks.network_files import network_source, save_onnx, weights_bytes

    cell, module_hash = table.cells[row : row + 1], table.hash_of(row)
    save_cell(folder / "cell.png", cell, module_hash)
    write_text(folder / "cell.svg", cell_svg(cell) + "\n")
    weights = None
    if is_trained:
        weights = "weights.safetensors"
        write_bytes(folder / weights, weights_bytes(network))
    if arguments.onnx:
        save_onnx(folder / "network.onnx", network, arguments.image_size)
    write_text(folder / "network.py", network_source(cell, config, module_hash, weights))


def _weights_of(search: Path | None) -> Path | None:
    """The trained weights that a search by real trainings has left beside its summary."""
    from gnn_nas.experiments.searches.task_judge import NETWORK

    path = search and search / NETWORK
    return path if path and path.exists() else None
