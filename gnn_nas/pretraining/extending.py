"""Whether a run can go on beyond its end as if it had been longer from the start."""

from __future__ import annotations

from gnn_nas.config import PretrainConfig
from gnn_nas.continuing import grown_keys
from gnn_nas.errors import UserError
from gnn_nas.run_folder import RunFolder

MAY_GROW = ("training.steps",)
"""Keys of a run's config whose numbers may be larger when it is resumed."""


def can_extend(config: PretrainConfig) -> bool:
    """Whether no step depends on how many there will be: only the learning rate ever does."""
    return config.optimizer.schedule in ("constant", "step")


def has_ended(folder: RunFolder, config: PretrainConfig, resume: bool) -> bool:
    """Whether the folder holds a run of this config that is finished; writes nothing.

    Raises:
        UserError: the folder cannot be written, or holds something else, or a run that is not to be
            resumed or cannot become one of this config.
    """
    folder.refuse_taken(resume)
    if not folder.config.exists():
        return False
    if not grown_keys(folder.config, config, MAY_GROW):
        return folder.finished
    if not can_extend(config):
        raise UserError(
            f"{folder.path} was begun with fewer training.steps than {config.training.steps}, and"
            f" with the schedule {config.optimizer.schedule} the learning rate of every step"
            " depends on their number: give another --out; only runs with the schedule constant or"
            " step can be extended"
        )
    # What is damaged is said while a finished run still is one.
    folder.read_metrics()
    return False
