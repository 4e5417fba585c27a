"""A task by what a user calls it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gnn_nas.config_file import read_mapping
from gnn_nas.errors import UserError
from gnn_nas.references import is_reference

if TYPE_CHECKING:
    from gnn_nas.tasks.task import Task

SHIPPED = ("digits",)
"""Tasks that come with the package."""


def load_task(reference: str) -> Task:
    """Open a shipped task, a task file or ``module:object``, its data included.

    Raises:
        UserError: there is no such task, or something of it is not as it must be.
    """
    path = Path(reference)
    if reference in SHIPPED:
        path = Path(__file__).with_name(f"{reference}.yaml")
    if path.suffix in (".yaml", ".yml"):
        # Before torch has loaded.
        read_mapping(path)

        from gnn_nas.tasks.image_task import ImageTask

        return ImageTask.from_file(path)
    if not is_reference(reference):
        raise UserError(
            f"--task {reference}: neither {', '.join(SHIPPED)} nor FILE.yaml nor module:object"
        )
    from gnn_nas.tasks.user_task import UserTask

    return UserTask(reference)
