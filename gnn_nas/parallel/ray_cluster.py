"""A Ray cluster, an existing one or one of this machine alone."""

from __future__ import annotations

import math
import signal
from typing import Any

from gnn_nas.errors import UserError


class RayCluster:
    """The cluster of ``RAY_ADDRESS``, else one that runs on this machine, else a new one on it.

    Args:
        cpus, gpus: the share of every actor.

    Raises:
        UserError: Ray is not installed, cannot start, or has no room for an actor.
    """

    def __init__(self, cpus: float, gpus: float = 0.0) -> None:
        try:
            import ray
        except ImportError:
            raise UserError("--engine ray needs Ray: pip install 'gnn_nas[ray]'") from None
        self.ray = ray
        self._shares = {"CPU": cpus, "GPU": gpus}
        self._own = not ray.is_initialized()
        if self._own:
            handler = signal.getsignal(signal.SIGTERM)
            try:
                ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
            except (ConnectionError, RuntimeError, ValueError, OSError) as error:
                raise UserError(f"--engine ray: cannot join or start a cluster: {error}") from error
            finally:
                # Ray takes it, and would end this process without a word.
                signal.signal(signal.SIGTERM, handler)
        self.room = self._room()
        if self.room < 1:
            self.close()
            raise UserError(f"the Ray cluster has no room for {cpus:g} CPUs and {gpus:g} GPUs")

    def actor(self, kind: type, **options: object) -> Any:
        """A class whose ``remote`` asks the cluster for an actor; one that dies stays dead."""
        cpus, gpus = self._shares.values()
        return self.ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0, **options)(kind)

    def close(self) -> None:
        """Leave the cluster that was joined for this, or end it."""
        if self._own:
            self.ray.shutdown()

    def _room(self) -> int:
        """How many actors the cluster has room for, by what it has in all."""
        resources = self.ray.cluster_resources()
        rooms = [resources.get(name, 0) / share for name, share in self._shares.items() if share]
        return math.floor(min(rooms, default=resources.get("CPU", 1)) + 1e-9)
