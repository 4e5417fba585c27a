"""The sizes of the network around a cell: given, of the search's task, or of its benchmark."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gnn_nas.cli.common import option_name
from gnn_nas.config_file import read_mapping, upgraded
from gnn_nas.errors import UserError
from gnn_nas.run_folder import RunFolder

if TYPE_CHECKING:
    from gnn_nas.spaces.space import CellSpace
    from gnn_nas.tasks.network_size import NetworkConfig

_SIZES = {
    "stem_channels": "channels of the first stack, doubled from stack to stack (default: 128, with"
    " ops on edges 16)",
    "stacks": "stacks of cells, the image halved between them (default: 3)",
    "cells_per_stack": "cells in a stack (default: 3, with ops on edges 5)",
    "classes": "outputs of the network (default: 10)",
    "in_channels": "channels of an image (default: 3)",
}


def add_sizes(parser: argparse.ArgumentParser) -> None:
    """Add an option for every size."""
    for name, text in _SIZES.items():
        parser.add_argument(option_name(name), type=int, metavar="N", help=text)


def chosen_sizes(
    arguments: argparse.Namespace, stored: NetworkConfig | None, space: CellSpace
) -> NetworkConfig:
    """The sizes as given, else as stored with the weights, else as said by the search's task.

    What nobody says is as in the benchmark whose skeleton it is.

    Raises:
        UserError: one is impossible, or the search has trained networks whose sizes are not known.
    """
    from pydantic import ValidationError

    from gnn_nas.tasks.network_size import NetworkConfig, default_sizes

    known = stored or _sizes_of_task(arguments) or default_sizes(space)
    sizes = known.model_dump()
    given = {name: getattr(arguments, name) for name in _SIZES}
    sizes |= {name: size for name, size in given.items() if size is not None}
    try:
        return NetworkConfig(**sizes)
    except ValidationError as error:
        first = error.errors()[0]
        option = option_name(str(first["loc"][0]))
        wanted = first["msg"].removeprefix("Input should be ")
        raise UserError(f"{option} must be {wanted}, not {first['input']}") from None


def _sizes_of_task(arguments: argparse.Namespace) -> NetworkConfig | None:
    """None where rewards were measurements, or all sizes are given."""
    if arguments.search is None:
        return None
    from pydantic import ValidationError

    from gnn_nas.experiments.searches.config import TaskSearchConfig
    from gnn_nas.tasks.network_size import NetworkConfig

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
