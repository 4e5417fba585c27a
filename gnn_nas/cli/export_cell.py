"""``export-cell``: a cell as a network to take away."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.cli.cell_choice import LEAST_PREFIX, best_hash, checked_prefix, row_of_prefix
from gnn_nas.cli.common import open_table, option_name, refuse_below_one, repeated, run_guarded
from gnn_nas.config_file import read_mapping, upgraded
from gnn_nas.errors import UserError, reported
from gnn_nas.files import is_leftover, require_writable, temporary_name
from gnn_nas.locking import is_lock, writing
from gnn_nas.module_weights import load_into
from gnn_nas.run_folder import RunFolder

if TYPE_CHECKING:
    from gnn_nas.spaces.table import CellTable
    from gnn_nas.tasks.network import CellNetwork, NetworkConfig

# Of the folder's name.
_SHOWN_HASH = 8

_SIZES = {
    "stem_channels": "channels of the first stack, doubled from stack to stack (default: 128)",
    "stacks": "stacks of cells, the image halved between them (default: 3)",
    "cells_per_stack": "cells in a stack (default: 3)",
    "classes": "outputs of the network (default: 10)",
    "in_channels": "channels of an image (default: 3)",
}

_DESCRIPTION = """\
Export a cell as a network: the skeleton in which NAS-Bench-101 trains its cells (a stem, stacks of
the same cell, average pooling, a dense layer), in any width and depth and for any images. The cell
is named by its module hash, or by the beginning of it, or is the best one that a search has found.
"""

_EPILOG = """\
examples:
  export-cell 00005c142e6f48ac74fdcf73e3439874
  export-cell 00005c14 --onnx
  export-cell --from runs/search-nao-oracle
  export-cell --from runs/search-nao-digits --onnx --image-size 8
  export-cell 00005c14 --stem-channels 16 --stacks 2 --cells-per-stack 1 --in-channels 1
  export-cell 00005c14 --weights trained.safetensors

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


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    return run_guarded(lambda: _run(_parser().parse_args(argv)), repeated("export-cell", argv))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="export-cell",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
        help="folder of a finished nao-search: takes the cell with the best reward, and where"
        " networks were trained their sizes and its weights; sizes that a task of your own does not"
        " tell must be given",
    )
    add(
        "--out",
        type=Path,
        metavar="DIR",
        help=f"the folder (default: runs/export-<first {_SHOWN_HASH} digits of the hash>)",
    )
    add(
        "--weights",
        type=Path,
        metavar="FILE",
        help="trained weights of this network, a state_dict as safetensors (default: those in DIR);"
        " sizes that its metadata hold need not be given",
    )
    add("--onnx", action="store_true", help="also write network.onnx (pip install 'gnn-nas[onnx]')")
    add(
        "--image-size",
        type=int,
        default=32,
        metavar="N",
        help="height and width of the images that network.onnx takes (default: 32)",
    )
    for name, text in _SIZES.items():
        add(option_name(name), type=int, metavar="N", help=text)
    return parser


def _run(arguments: argparse.Namespace) -> None:
    refuse_below_one(arguments, ("image_size",))
    if (arguments.hash is None) == (arguments.search is None):
        raise UserError("give either the hash of a cell or --from with the folder of a search")
    wanted = checked_prefix(arguments.hash) if arguments.hash else best_hash(arguments.search)
    if arguments.out:
        _refuse_filled(arguments.out)
    if arguments.weights:
        with reported(f"{arguments.weights}: cannot read the weights"):
            arguments.weights.stat()

    # Imported only now: a mistake is answered and help is shown before torch has loaded.
    from gnn_nas.plots.draw import cell_text
    from gnn_nas.tasks.network import CellNetwork
    from gnn_nas.tasks.network_onnx import require_onnx
    from gnn_nas.tasks.network_size import parameter_counts
    from gnn_nas.tasks.network_weights import read_weights

    weights = arguments.weights or _weights_of(arguments.search)
    tensors, stored = read_weights(weights) if weights else (None, None)
    config = _sized(arguments, stored or _told_sizes(arguments))
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
    with reported(f"cannot write the folder {folder}"):
        _claim(folder)
        with writing(folder):
            _claim(folder)  # another may have written it meanwhile
            with _together(folder) as beside:
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
    from gnn_nas.plots.cell_svg import cell_svg
    from gnn_nas.plots.draw import save_cell
    from gnn_nas.tasks.network_onnx import save_onnx
    from gnn_nas.tasks.network_source import network_source
    from gnn_nas.tasks.network_weights import weights_bytes

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


def _told_sizes(arguments: argparse.Namespace) -> NetworkConfig | None:
    """The sizes that a search's task has told; None where they are NAS-Bench-101's, or all given.

    Raises :class:`UserError` where networks were trained whose sizes are not known.
    """
    if arguments.search is None:
        return None
    from pydantic import ValidationError

    from gnn_nas.experiments.searches.config import TaskSearchConfig
    from gnn_nas.tasks.network import NetworkConfig

    folder = RunFolder.open(arguments.search)
    config = upgraded(TaskSearchConfig, read_mapping(folder.config), folder.config)
    missing = [option_name(name) for name in _SIZES if getattr(arguments, name) is None]
    if "task" not in config or not missing:
        return None
    settings = config.get("task_settings")
    # A task of images tells those of its file, which the data completes.
    if isinstance(settings, dict) and "object" in settings and "network" in settings:
        try:
            return NetworkConfig.model_validate(settings["network"])
        except ValidationError:
            raise UserError(f"{folder.config} is damaged: task_settings.network") from None
    raise UserError(
        f"{arguments.search} does not tell the sizes of the network that its task {config['task']}"
        f" has trained: give {', '.join(missing)} (a task of your own tells them by an attribute"
        " network, a NetworkConfig)"
    )


def _sized(arguments: argparse.Namespace, stored: NetworkConfig | None) -> NetworkConfig:
    """The network's sizes: as given, else as stored with the weights, else the official ones."""
    from pydantic import ValidationError

    from gnn_nas.tasks.network import NetworkConfig

    sizes = stored.model_dump() if stored else {}
    given = {name: getattr(arguments, name) for name in _SIZES}
    sizes |= {name: size for name, size in given.items() if size is not None}
    try:
        return NetworkConfig(**sizes)
    except ValidationError as error:
        first = error.errors()[0]
        option = option_name(str(first["loc"][0]))
        wanted = first["msg"].removeprefix("Input should be ")
        raise UserError(f"{option} must be {wanted}, not {first['input']}") from None


def _claim(folder: Path) -> None:
    """Make the folder. Files that are there may have been changed by hand, so none is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_filled(folder)


@contextmanager
def _together(folder: Path) -> Iterator[Path]:
    """Give a folder whose files are moved to ``folder`` at the end of the block.

    Whoever is killed while files are made leaves none that would refuse the same call.
    """
    for name in filter(is_leftover, os.listdir(folder)):
        shutil.rmtree(folder / name)
    beside = temporary_name(folder / "export")
    try:
        beside.mkdir()
        yield beside
        for file in sorted(beside.iterdir()):
            file.rename(folder / file.name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _refuse_filled(folder: Path) -> None:
    with reported(f"cannot write the folder {folder}"):
        require_writable(folder)
    names = sorted(os.listdir(folder)) if folder.exists() else []
    if names := [name for name in names if not (is_lock(name) or is_leftover(name))]:
        raise UserError(f"{folder} holds files ({names[0]}): give another --out, or delete it")


if __name__ == "__main__":
    sys.exit(main())
