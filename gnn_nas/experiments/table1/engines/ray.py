"""Commands as processes of the machines of a Ray cluster."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gnn_nas.experiments.table1.engines.local import end_children, killed_by, start_child
from gnn_nas.experiments.table1.jobs import ProcessDied
from gnn_nas.experiments.table1.plan import Job
from gnn_nas.parallel.ray_cluster import RayCluster

_RETRIES = 3
# Seconds that a network file system may take to show a new file.
_LAG = 60.0
# Seconds for all actors to end their processes: those are killed before.
_PATIENCE = 30.0
# What users set for this package here is to hold there too.
_PASSED_ON = "GNN_NAS_"


class RayEngine:
    """Makes Ray actors, with a process each; a `gnn_nas.experiments.table1.jobs.Engine`.

    All machines must see the files of this one at the same paths, and have this package. A command
    whose actor or process is killed is continued elsewhere, a few times: machines of a cluster come
    and go.

    Args:
        at_once: at most so many; None for as many as the cluster has room for.
        cpus: a command's share.

    Raises:
        UserError: see `gnn_nas.parallel.ray_cluster.RayCluster`.
    """

    retries = _RETRIES
    lag = _LAG

    def __init__(self, at_once: int | None, cpus: float) -> None:
        self._cluster = RayCluster(cpus)
        self._ray = self._cluster.ray
        self.at_once = min(at_once or self._cluster.room, self._cluster.room)
        # One call runs the command, another can end it meanwhile.
        self._actor = self._cluster.actor(_Child, max_concurrency=2)

    def start(self, job: Job, log: Path) -> RayProcess:
        """Ask the cluster for an actor that runs a job's command."""
        passed_on = {k: v for k, v in os.environ.items() if k.startswith(_PASSED_ON)}
        command = job.module, job.options(), log.absolute(), passed_on, os.getcwd()
        return RayProcess(self._ray, self._actor.remote(), command)

    def end(self, processes: list[RayProcess]) -> None:
        """End processes as Ctrl-C does, then their actors."""
        ended = [process.actor.end.remote() for process in processes if process.is_placed()]
        if ended:
            self._ray.wait(ended, num_returns=len(ended), timeout=_PATIENCE)
        for process in processes:
            self._ray.kill(process.actor)

    def close(self) -> None:
        """Leave the cluster that was joined for this, or end it."""
        self._cluster.close()


class RayProcess:
    """One actor and its process; a `gnn_nas.experiments.table1.jobs.Process`."""

    def __init__(self, ray: Any, actor: Any, command: tuple) -> None:
        self._ray = ray
        self.actor = actor
        self._placed = actor.ready.remote()
        self._ended = actor.run.remote(*command)
        self._status: int | None = None

    def is_placed(self) -> bool:
        """Whether the cluster has had room for it."""
        return self._is_there(self._placed)

    def status(self) -> int | None:
        """See whether it has ended. Raises ProcessDied."""
        if self._status is None and self._is_there(self._ended):
            try:
                self._status = self._ray.get(self._ended)
            except self._ray.exceptions.RayTaskError as error:
                raise ProcessDied(f"cannot be started there: {error.cause}") from None
            except self._ray.exceptions.RayError as error:
                raise ProcessDied(str(error).strip().split("\n")[0]) from None
            finally:
                # What it holds is wanted by the next.
                self._ray.kill(self.actor)
            if self._status < 0:
                raise ProcessDied(killed_by(-self._status))
        return self._status

    def _is_there(self, answer: Any) -> bool:
        return bool(self._ray.wait([answer], timeout=0)[0])


class _Child:
    """What runs in the cluster. Its process ends with it, even where it is killed."""

    def __init__(self) -> None:
        self._child: subprocess.Popen | None = None

    def ready(self) -> None:
        """Answer as soon as there is room."""

    def run(
        self,
        module: str,
        options: Sequence[str],
        log: Path,
        environment: Mapping[str, str],
        folder: str,
    ) -> int:
        """Run a command to its end, and give its status."""
        self._child = start_child(module, options, log, environment, folder)
        return self._child.wait()

    def end(self) -> None:
        """End the command, if it was begun."""
        if self._child:
            end_children([self._child])
