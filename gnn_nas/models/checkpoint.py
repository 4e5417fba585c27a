"""The controller that a search starts with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from torch import Tensor

from gnn_nas.config import (
    CONTROLLERS,
    DEFAULT_SPACE,
    FROM_SCRATCH,
    WEIGHTS,
    PretrainConfig,
    SpaceConfig,
    load_config,
)
from gnn_nas.models.controller import Controller
from gnn_nas.models.pretrained import (
    SHIPPED,
    default_folder,
    has_default,
    load_pretrained,
    new_controller,
)
from gnn_nas.run_folder import RunFolder
from gnn_nas.spaces.index import CellIndex


@dataclass(frozen=True)
class Checkpoint:
    """A pretrained controller, or the lack of one.

    Args:
        folder: the run it is from; None for a new controller of the shipped one's sizes.
        config: of the run.
        fingerprint: SHA-256 of the weights file; None without one.
    """

    folder: RunFolder | None
    config: PretrainConfig
    fingerprint: str | None

    def controller(self, seed: int) -> Controller:
        """A controller to search with; only one from scratch depends on the seed.

        Raises:
            UserError: the weights are missing, damaged, or do not fit the config.
        """
        if self.folder is None:
            return new_controller(self.config, seed).eval()
        return load_pretrained(self.folder.path)

    @property
    def statistics(self) -> list[str]:
        """Which statistics of untrained networks it has learnt to tell."""
        if self.folder is None or self.config.function is None:
            return []
        return self.config.function.statistics

    def tell_function(self, table: CellIndex, rows: Tensor) -> dict[str, Tensor]:
        """What it tells of the function of rows, in standard deviations, ``[N]`` by statistic.

        Raises:
            UserError: see `controller`.
        """
        if not self.statistics:
            return {}
        told = self.controller(0).tell_function(table, rows)
        return dict(zip(self.statistics, told.unbind(1), strict=True))

    def save(self, controller: Controller, folder: RunFolder, seed: int) -> None:
        """Write what makes a folder that is itself a checkpoint. Raises UserError."""
        changed = {"seed": seed} if self.folder is None else {}
        RunFolder.create(folder.path, self.config.model_copy(update=changed), resume=True)
        folder.save_weights(controller.state_dict())


def open_checkpoint(checkpoint: str | None, space: str | SpaceConfig = DEFAULT_SPACE) -> Checkpoint:
    """Open a run folder, ``none``, or by default ``runs/gin_multisim``, else the shipped weights.

    ``none`` and the default are those of ``space``; where none comes with the package, ``none`` has
    the sizes of NAS-Bench-101's.

    Raises:
        UserError: the folder or a file of it is missing or damaged, or there is no default.
    """
    if checkpoint == FROM_SCRATCH:
        shipped = RunFolder(WEIGHTS / CONTROLLERS[space] if has_default(space) else SHIPPED)
        # Untrained it has nothing to tell of function.
        changed = {"space": space, "function": None}
        config = load_config(shipped.config).model_copy(update=changed)
        return Checkpoint(None, config, None)
    folder = RunFolder.open(default_folder(space) if checkpoint is None else checkpoint)
    folder.load_weights()
    fingerprint = hashlib.sha256(folder.weights.read_bytes()).hexdigest()
    return Checkpoint(folder, load_config(folder.config), fingerprint)
