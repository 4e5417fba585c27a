"""What a controller's random embeddings decode to: ``python -m bench.prior [DIR ...]``.

Prints, of 10,000 draws as at the end of a pretraining run, the share that are valid cells, the
share that are valid cells of seven vertices, which alone arch2vec counts, and the uniqueness of all
valid ones.
"""

import argparse
import sys
from collections.abc import Sequence

from gnn_nas.cli.checkpoints import refuse_missing
from gnn_nas.cli.common import run_guarded
from gnn_nas.models.checkpoint import open_checkpoint
from gnn_nas.pretraining.batches import held_out_cells
from gnn_nas.pretraining.validation import Validation
from gnn_nas.spaces.table import load_table


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line for every folder and return the exit status."""
    parser = argparse.ArgumentParser(prog="prior", description=__doc__)
    parser.add_argument(
        "folders",
        nargs="*",
        metavar="DIR",
        help="pretraining runs (default: runs/gin_multisim, else the package's weights)",
    )
    arguments = parser.parse_args(argv)
    return run_guarded(lambda: _run(arguments.folders or [None]))


def _run(folders: list[str | None]) -> None:
    for folder in folders:
        refuse_missing(folder)
    table = load_table()
    for folder in folders:
        checkpoint = open_checkpoint(folder)
        config = checkpoint.config
        held_out = held_out_cells(table, config.data.held_out)
        figures = Validation(table, held_out, config.seed).measure(checkpoint.controller(0))
        shown = {name: figure for name, figure in figures.items() if name.startswith("prior")}
        shares = "  ".join(f"{name} {figure:.4f}" for name, figure in shown.items())
        print(f"{checkpoint.folder.path.name}: {shares}")


if __name__ == "__main__":
    sys.exit(main())
