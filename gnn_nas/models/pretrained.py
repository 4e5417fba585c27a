"""Controllers out of run folders, and the one that comes with the package."""

import os
from pathlib import Path
from typing import TypeGuard

import torch

from gnn_nas.config import (
    CONTROLLERS,
    DEFAULT_SPACE,
    WEIGHTS,
    PretrainConfig,
    SpaceConfig,
    load_config,
)
from gnn_nas.errors import UserError
from gnn_nas.models.controller import Controller
from gnn_nas.module_weights import load_into, refuse_other_architecture
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.known import get_space

SHIPPED = WEIGHTS / CONTROLLERS[DEFAULT_SPACE]


def load_pretrained(path: str | os.PathLike[str] | None = None) -> Controller:
    """Rebuild the controller of a run folder from its config and weights.

    Args:
        path: the folder; by default ``runs/gin_multisim`` where it has weights, else the shipped
            ones.

    Raises:
        UserError: the folder or a file of it is missing, damaged, or does not fit the others.
    """
    folder = RunFolder.open(default_folder() if path is None else path)
    config, weights = load_config(folder.config), folder.load_weights()
    # A config may say sizes for which there is no memory; those of the weights are there already.
    with torch.device("meta"):
        refuse_other_architecture(new_controller(config), weights, folder.weights)
    controller = new_controller(config)
    load_into(controller, weights, folder.weights)
    return controller.eval()


def new_controller(config: PretrainConfig, seed: int = 0) -> Controller:
    """The controller that a run of this config begins with. Raises UserError: see `Controller`."""
    statistics = config.function.statistics if config.function else ()
    return Controller(config.model, seed, get_space(config.space), statistics)


def has_default(space: str | SpaceConfig) -> TypeGuard[str]:
    """Whether a controller of a space comes with the package."""
    return isinstance(space, str) and space in CONTROLLERS


def default_folder(space: str | SpaceConfig = DEFAULT_SPACE) -> Path:
    """Folder of ``runs/gin_multisim`` where it has weights, else of the shipped ones.

    Of another space it is that of its config in `CONTROLLERS`.

    Raises:
        UserError: no controller of the space comes with the package.
    """
    if not has_default(space):
        name = space if isinstance(space, str) else space.name
        raise UserError(
            f"no controller of {name} comes with gnn_nas: give --checkpoint with the folder"
            " of a pretraining on it (gnn-nas pretrain), or none to begin from scratch"
        )
    own = RunFolder(Path("runs") / CONTROLLERS[space])
    return own.path if own.weights.exists() else WEIGHTS / CONTROLLERS[space]
