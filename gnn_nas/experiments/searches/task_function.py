"""What untrained networks do with a task's own images, for a search's controller to tell."""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
from pathlib import Path

from gnn_nas.config import FunctionConfig
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig, TaskSearchConfig
from gnn_nas.function.probes import open_probes
from gnn_nas.function.teaching import teach
from gnn_nas.function.told import ToldFunction
from gnn_nas.models.checkpoint import Checkpoint, open_checkpoint
from gnn_nas.models.controller import Controller
from gnn_nas.parallel import one_thread
from gnn_nas.references import is_reference
from gnn_nas.search.methods import get_method
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.known import get_space
from gnn_nas.spaces.space import CellSpace

# Once, with one drawing of weights each: a few seconds.
_CELLS = 600


def cells_to_measure(reference: str, method: str, checkpoint: Checkpoint) -> int:
    """How many cells' networks a search gives its task's images before it begins.

    It is none where the method reads no predictor or this tells no function, where the task is a
    user's code, and where the images are those that the controller was pretrained with.

    Args:
        reference: what the task is named by.
    """
    kind = get_method(method)
    if not (checkpoint.statistics and kind.needs_controller and kind.reads_predictor):
        return 0
    if is_reference(reference):
        return 0
    try:
        own = open_probes(reference).digest
    except UserError as error:
        print(
            f"warning: {error}; the search goes by what they do with the images of the pretraining",
            file=sys.stderr,
        )
        return 0
    return 0 if own == _digest(checkpoint.config.function) else _CELLS


def open_begun(config: SearchConfig, table: CellIndex) -> Checkpoint:
    """The checkpoint that a search of a table's cells begins with.

    Raises:
        UserError: see `gnn_nas.models.checkpoint.open_checkpoint`.
    """
    return open_checkpoint(config.checkpoint, config.space or table.space.name)


def taught(
    checkpoint: Checkpoint, config: SearchConfig, seed: int
) -> tuple[Checkpoint, Controller]:
    """The controller that a seed of a search begins with, and the checkpoint that it is of.

    Where the search says so it is taught by the task's own images, and the checkpoint's config has
    them.

    Args:
        checkpoint: see `open_begun`.

    Raises:
        UserError: see `task_function` and `gnn_nas.models.checkpoint`.
    """
    controller = checkpoint.controller(seed)
    if function := task_function(checkpoint, config):
        teach(controller, function)
        changed = checkpoint.config.model_copy(update={"function": function.config})
        checkpoint = dataclasses.replace(checkpoint, config=changed)
    return checkpoint, controller


def task_function(checkpoint: Checkpoint, config: SearchConfig) -> ToldFunction | None:
    """What a search's controller is taught, measured by the first call; None where it is nothing.

    Raises:
        UserError: see `gnn_nas.function.measuring.measure_function`.
    """
    if not (isinstance(config, TaskSearchConfig) and config.measured):
        return None
    if checkpoint.config.function is None:
        raise UserError(
            f"{config.checkpoint}: its config says nothing of function any more, which the search"
            " began with: put it back, or search anew with another --out"
        )
    images = str(config.reference)
    if Path(images).suffix:
        images = os.path.abspath(images)
    own = {"images": images, "cells": config.measured, "seeds": 1}
    function = checkpoint.config.function.model_copy(update=own)
    return _told(get_space(config.space), function.model_dump_json())


# All seeds of a search have one.
@functools.lru_cache(1)
def _told(space: CellSpace, config: str) -> ToldFunction:
    # A search goes on where there are more cores or fewer.
    with one_thread():
        return ToldFunction(space, FunctionConfig.model_validate_json(config))


def _digest(config: FunctionConfig) -> str | None:
    """Of the images of a pretraining, None where they are no more."""
    try:
        return open_probes(config.images).digest
    except UserError:
        return None
