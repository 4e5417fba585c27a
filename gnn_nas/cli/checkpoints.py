"""Checkpoints that a command compares, and what it calls them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnn_nas.config import DEFAULT_SPACE, FROM_SCRATCH, SpaceConfig, load_config
from gnn_nas.errors import UserError
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.known import described_space, get_space, have_same_cells
from gnn_nas.spaces.space import CellSpace

if TYPE_CHECKING:
    from gnn_nas.experiments.searches.config import TableSearchConfig, TaskSearchConfig
    from gnn_nas.models.checkpoint import Checkpoint

_FROM_SCRATCH = "from scratch"


def add_checkpoint(parser: argparse.ArgumentParser, what: str, **options: Any) -> None:
    """Add the option that says which checkpoint is taken, or with further ``options`` several."""
    parser.add_argument(
        "--checkpoint",
        metavar="DIR",
        help=f"{what} (default: runs/gin_multisim, for another space the run of its name, as"
        " runs/nasbench201, else the weights that come with the package)",
        **options,
    )


def add_checkpoints(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which checkpoints are compared."""
    what = (
        "folders of pretraining runs or of a search's controllers, none for a controller from"
        " scratch"
    )
    add_checkpoint(parser, what, nargs="+", action="extend")


def chosen_space(given: str | None, checkpoint: str | Path | None) -> str | SpaceConfig:
    """The space of the checkpoint, without one what ``--space`` says, else NAS-Bench-101.

    A pretraining may have found by itself what a file does not say, so the checkpoint's is taken
    where both are given.

    Raises:
        UserError: there is no such space or checkpoint, or they do not go together.
    """
    said = None if given is None else described_space(given)
    if checkpoint is None or checkpoint == FROM_SCRATCH:
        return said or DEFAULT_SPACE
    own = _space_of(checkpoint)
    if said is not None and not have_same_cells(get_space(own), get_space(said)):
        raise _other_space(checkpoint, get_space(own), get_space(said))
    return own


def space_to_search(
    arguments: argparse.Namespace, begun: TaskSearchConfig | TableSearchConfig | None
) -> str | SpaceConfig:
    """The space that a search was begun in, unless ``--space`` is said, else `chosen_space`.

    Raises:
        UserError: as there.
    """
    if begun and arguments.space is None:
        return begun.space
    return chosen_space(
        arguments.space, arguments.checkpoint or (begun.checkpoint if begun else None)
    )


def refuse_missing(given: str | Path | None, space: str | SpaceConfig = DEFAULT_SPACE) -> None:
    """Refuse a checkpoint that is not there, or of another space, before torch has loaded.

    Raises:
        UserError: it is.
    """
    if given is None or given == FROM_SCRATCH:
        return
    own, wanted = get_space(_space_of(given)), get_space(space)
    if own != wanted:
        raise _other_space(given, own, wanted)
    folder = RunFolder(given)
    if not folder.weights.exists():
        raise folder.no_weights()


def _other_space(given: str | Path, own: CellSpace, wanted: CellSpace) -> UserError:
    other = "another space of this name" if own.name == wanted.name else own.name
    return UserError(f"{given} was pretrained on {other}, and this is about {wanted.name}")


def _space_of(given: str | Path) -> str | SpaceConfig:
    """What the config of a checkpoint holds of its space. Raises UserError where it is none."""
    if (controller := RunFolder(given).controller(0)).weights.exists():
        raise UserError(
            f"{given} is a search's folder: give one of its controllers, say {controller.path}"
        )
    return load_config(RunFolder.open(given).config).space


def open_checkpoints(
    given: Sequence[str] | None, space: str | SpaceConfig = DEFAULT_SPACE
) -> dict[str, Checkpoint]:
    """Open checkpoints, by default one, by as much of their paths' ends as tells them apart.

    Raises:
        UserError: one is given twice, is missing or damaged, of another space, or its weights do
            not fit its config; or there is no default.
    """
    for each in given or ():
        refuse_missing(each, space)

    from gnn_nas.models.checkpoint import open_checkpoint

    opened = [open_checkpoint(each, space) for each in given or [None]]
    paths = [
        each.folder.path.resolve().parts if each.folder else (_FROM_SCRATCH,) for each in opened
    ]
    named = {}
    for checkpoint, path in zip(opened, paths, strict=True):
        if paths.count(path) > 1:
            raise UserError(f"--checkpoint has {Path(*path)} twice")
        checkpoint.controller(0)  # refuses weights that do not fit
        # A search's controllers are called alike in every search.
        length = 2 if path[-1].startswith("controller-") else 1
        while sum(other[-length:] == path[-length:] for other in paths) > 1:
            length += 1
        named["/".join(path[-length:])] = checkpoint
    return named


def loss_name(checkpoint: Checkpoint) -> str:
    """What brought the embeddings of positives together in a checkpoint's pretraining."""
    if checkpoint.folder is None:
        return "no pretraining"
    metric = checkpoint.config.metric
    return metric.loss if metric else "no metric loss"
