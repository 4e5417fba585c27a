"""What untrained networks do with a task's own images, for a search's controller to tell."""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
from pathlib import Path

import torch

from gnn_nas.config import FunctionConfig
from gnn_nas.errors import UserError
from gnn_nas.experiments.searches.config import SearchConfig, TaskSearchConfig
from gnn_nas.function.probes import open_probes
from gnn_nas.function.teaching import teach
from gnn_nas.function.told import ToldFunction
from gnn_nas.models.checkpoint import Checkpoint, open_checkpoint
from gnn_nas.models.controller import Controller
from gnn_nas.references import is_reference
from gnn_nas.search.methods import get_method
from gnn_nas.spaces.index import CellIndex
from gnn_nas.spaces.known import get_space
from gnn_nas.spaces.space import CellSpace

# Once, with one drawing of weights each: a few seconds.
_CELLS = 600


def cells_to_measure(reference: str, method: str, checkpoint: Checkpoint) -> int:
    """How many cells' networks a search gives its task's images before it begins.

    It is none where the method needs no controller or this tells no function, where the task is a
    user's code, and where the images are those that the controller was pretrained with.

    Args:
        reference: what the task is named by.
    """
    if not (checkpoint.statistics and get_method(method).needs_controller):
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


def open_taught(config: SearchConfig, table: CellIndex, seed: int) -> tuple[Checkpoint, Controller]:
    """The checkpoint of a search, and the controller that a seed begins with.

    Where the search says so it is taught by the task's own images, and the checkpoint's config has
    them.

    Raises:
        UserError: see `task_function` and `gnn_nas.models.checkpoint`.
    """
    checkpoint = open_checkpoint(config.checkpoint, config.space or table.space.name)
    controller = checkpoint.controller(seed)
    if function := task_function(config):
        teach(controller, function)
        taught = checkpoint.config.model_copy(update={"function": function.config})
        checkpoint = dataclasses.replace(checkpoint, config=taught)
    return checkpoint, controller


def task_function(config: SearchConfig) -> ToldFunction | None:
    """What a search's controller is taught, measured by the first call; None where it is nothing.

    Raises:
        UserError: see `gnn_nas.function.measuring.measure_function`.
    """
    if not (isinstance(config, TaskSearchConfig) and config.measured):
        return None
    pretrained = open_checkpoint(config.checkpoint, config.space).config.function
    if pretrained is None:
        raise UserError(
            f"{config.checkpoint}: its config says nothing of function any more, which the search"
            " began with: put it back, or search anew with another --out"
        )
    images = str(config.reference)
    if Path(images).suffix:
        images = os.path.abspath(images)
    own = {"images": images, "cells": config.measured, "seeds": 1}
    return _told(get_space(config.space), pretrained.model_copy(update=own).model_dump_json())


# All seeds of a search have one.
@functools.lru_cache(1)
def _told(space: CellSpace, config: str) -> ToldFunction:
    threads = torch.get_num_threads()
    # The last bits of sums depend on it, and a search goes on where there are more cores or fewer.
    torch.set_num_threads(1)
    try:
        return ToldFunction(space, FunctionConfig.model_validate_json(config))
    finally:
        torch.set_num_threads(threads)


def _digest(config: FunctionConfig) -> str | None:
    """Of the images of a pretraining, None where they are no more."""
    try:
        return open_probes(config.images).digest
    except UserError:
        return None
