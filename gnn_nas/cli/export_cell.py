"""``export-cell``: a cell as a network to take away."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.cli.cell_choice import (
    LEAST_PREFIX,
    best_hash,
    checked_prefix,
    row_of,
    searched_space,
)
from gnn_nas.cli.common import (
    add_out,
    add_space,
    command_parser,
    refuse_below_one,
    repeated,
    run_guarded,
)
from gnn_nas.cli.network_sizes import add_sizes, chosen_sizes
from gnn_nas.errors import UserError, reported
from gnn_nas.export_folder import filled_at_once, refuse_filled
from gnn_nas.module_weights import load_into
from gnn_nas.spaces.known import described_space, get_space, have_same_cells, is_known
from gnn_nas.spaces.nasbench101 import NASBENCH101

if TYPE_CHECKING:
    from gnn_nas.spaces.packed import PackedCells
    from gnn_nas.spaces.space import CellSpace
    from gnn_nas.tasks.network import CellNetwork, NetworkConfig

# Of the folder's name.
_SHOWN_HASH = 8
# Of the module that is written.
_MODULE = "network"

_DESCRIPTION = """\
Export a cell as a network: the skeleton in which NAS-Bench-101 trains its cells, or NAS-Bench-201
where ops are on edges (a stem, stacks of the same cell, average pooling, a dense layer), in any
width and depth and for any images. The cell is named by its hash, or by the beginning of it, or is
the best one that a search has found.
"""

_EPILOG = """\
examples:
  %(prog)s 00005c142e6f48ac74fdcf73e3439874
  %(prog)s 00005c14 --onnx
  %(prog)s --from runs/search-nao-oracle
  %(prog)s --from runs/search-nao-digits --onnx --image-size 8
  %(prog)s 00005c14 --stem-channels 16 --stacks 2 --cells-per-stack 1 --in-channels 1
  %(prog)s 00005c14 --weights trained.safetensors
  %(prog)s 12b4b4bf --space nasbench201

the folder (--out) receives:
  network.py           the cell spelled out, and build(), which gives the network; made to be read
                       and changed, it needs this package
  your modules         the files of ops of your own, copied; what these import in turn is not
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
        help=f"hash of the cell, of module hashes the first {LEAST_PREFIX} or more digits",
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
    add_space(parser, "of the cell (default: that of the search, else nasbench101)")
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
    wanted = arguments.hash or best_hash(arguments.search)
    space = _space(arguments)
    if is_known(space):
        checked_prefix(wanted)
    if any(reference.startswith(f"{_MODULE}:") for reference in space.modules):
        raise UserError(
            f"space {space.name}: a module of its ops is called {_MODULE}, as the exported one is:"
            " give it another name"
        )
    if arguments.out:
        refuse_filled(arguments.out)
    if arguments.weights:
        with reported(f"{arguments.weights}: cannot read the weights"):
            arguments.weights.stat()

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.plots.draw import cell_text
    from gnn_nas.spaces.index import open_index
    from gnn_nas.tasks.network import CellNetwork
    from gnn_nas.tasks.network_files import read_weights, require_onnx
    from gnn_nas.tasks.network_size import op_widths, parameter_counts
    from gnn_nas.tasks.ops import check_ops

    weights = arguments.weights or _weights_of(arguments.search)
    tensors, stored = read_weights(weights) if weights else (None, None)
    config = chosen_sizes(arguments, stored, space)
    widths = op_widths(space, config)
    if not is_known(space):
        check_ops(space, widths[:1])
    table = open_index(space)
    row = row_of(wanted, table)
    cell, name = table.cells[row : row + 1], table.hash_of(row)
    parameters = int(parameter_counts(cell, config))
    network = None
    if arguments.onnx:
        require_onnx(parameters)
    if weights or arguments.onnx:
        network = CellNetwork(cell, config, seed=0)
    if weights:
        load_into(network, tensors, weights)
    folder = arguments.out or Path("runs") / f"export-{_short(name)}"
    with filled_at_once(folder) as beside:
        _write(beside, arguments, cell, name, config, network, bool(weights))
    print(f"cell {name}, a network of {parameters:,} parameters\n{cell_text(cell)}")
    print(f"written to {os.fspath(folder)}: {', '.join(sorted(os.listdir(folder)))}")


def _space(arguments: argparse.Namespace) -> CellSpace:
    """The space of the cell. Raises UserError where the search was of another than is given."""
    given = arguments.space and get_space(described_space(arguments.space))
    if arguments.search is None:
        return given or NASBENCH101
    space = get_space(searched_space(arguments.search))
    if given and not have_same_cells(given, space):
        raise UserError(
            f"--space {arguments.space}: {arguments.search} has searched {space.name}, or another"
            " space of this name; it tells its space itself"
        )
    return space


def _short(name: str) -> str:
    """The beginning of a module hash; of a cell that is spelt, which all begin alike, a hash."""
    is_hash = len(name) == hashlib.md5().digest_size * 2
    return (name if is_hash else hashlib.sha256(name.encode()).hexdigest())[:_SHOWN_HASH]


def _write(
    folder: Path,
    arguments: argparse.Namespace,
    cell: PackedCells,
    name: str,
    config: NetworkConfig,
    network: CellNetwork | None,
    is_trained: bool,
) -> None:
    from gnn_nas.files import write_bytes, write_text
    from gnn_nas.plots.draw import cell_svg, save_cell
    from gnn_nas.tasks.network_files import network_source, save_onnx, weights_bytes
    from gnn_nas.tasks.ops import own_files

    save_cell(folder / "cell.png", cell, name)
    write_text(folder / "cell.svg", cell_svg(cell) + "\n")
    weights = None
    if is_trained:
        weights = "weights.safetensors"
        write_bytes(folder / weights, weights_bytes(network))
    if arguments.onnx:
        save_onnx(folder / "network.onnx", network, arguments.image_size)
    for module, path in own_files(cell.space).items():
        is_package = path.name == "__init__.py"
        copy = folder.joinpath(*module.split("."), *([path.name] if is_package else []))
        copy = copy if is_package else copy.with_suffix(".py")
        with reported(f"cannot copy {path}"):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    write_text(folder / f"{_MODULE}.py", network_source(cell, config, name, weights))


def _weights_of(search: Path | None) -> Path | None:
    """The trained weights that a search by real trainings has left beside its summary."""
    from gnn_nas.experiments.searches.task_judge import NETWORK

    path = search and search / NETWORK
    return path if path and path.exists() else None
