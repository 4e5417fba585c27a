"""Processes of the machines of a Ray cluster, an existing one or one of this machine alone."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable
from typing import Any

from gnn_nas.errors import UserError, to_install
from gnn_nas.parallel.local import LocalEngine
from gnn_nas.parallel.pool import TimedOut, WorkerDied
from gnn_nas.signals import Terminated

_RETRIES = 3
# Seconds that a network file system may take to show a new file.
_LAG = 60.0
# Seconds for all actors to end their processes: those are killed before.
_UNTIL_KILLED = 30.0


class RayEngine:
    """Makes Ray actors with a process each; a `gnn_nas.parallel.pool.Engine`.

    The cluster is that of ``RAY_ADDRESS``, else one that runs on this machine, else a new one on
    it. A job whose actor or process dies is begun again elsewhere, a few times: machines of a
    cluster come and go. All need this package, and the modules of a user's own work.

    Args:
        work: see `gnn_nas.parallel.pool.Engine`.
        workers: at most so many at once; None for as many as the cluster has room for.
        cpus, gpus: a worker's share.

    Raises:
        UserError: Ray is not installed, cannot start, or has no room for a worker.
    """

    retries = _RETRIES
    lag = _LAG

    def __init__(
        self, work: Callable[[Any], Any], workers: int | None, cpus: float, gpus: float = 0.0
    ) -> None:
        try:
            import ray
        except ImportError:
            raise UserError(f"--engine ray needs Ray: {to_install('ray')}") from None
        self._ray = ray
        self._own = not ray.is_initialized()
        if self._own:
            handler = signal.getsignal(signal.SIGTERM)
            try:
                ray.init(log_to_driver=False, logging_level="ERROR", include_dashboard=False)
            except Exception as error:  # Ray raises just that where a node is too slow to start
                raise UserError(f"--engine ray: cannot join or start a cluster: {error}") from error
            finally:
                # Ray takes it, and would end this process without a word.
                signal.signal(signal.SIGTERM, handler)
        room = self._room({"CPU": cpus, "GPU": gpus})
        if room < 1:
            self.close()
            raise UserError(f"the Ray cluster has no room for {cpus:g} CPUs and {gpus:g} GPUs")
        self.workers = min(workers or room, room)
        # One call does a job, another can end it meanwhile; an actor that dies stays dead.
        self._actor = ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=0, max_concurrency=2)(
            _Host
        )
        self._work = ray.put(work)

    def start(self) -> RayWorker:
        """Ask the cluster for an actor."""
        return RayWorker(self._ray, self._actor.remote(), self._work)

    def end(self, workers: list[RayWorker]) -> None:
        """Let actors end their processes, then kill them."""
        # One that the cluster has no room for yet would answer when it has.
        placed = [each for each in workers if self._ray.wait([each.placed], timeout=0)[0]]
        ended = [worker.actor.end.remote() for worker in placed]
        if ended:
            self._ray.wait(ended, num_returns=len(ended), timeout=_UNTIL_KILLED)
        for worker in workers:
            self._ray.kill(worker.actor)

    def close(self) -> None:
        """Leave the cluster that was joined for this, or end it."""
        if self._own:
            self._ray.shutdown()

    def _room(self, shares: dict[str, float]) -> int:
        """How many workers the cluster has room for, by what it has in all."""
        resources = self._ray.cluster_resources()
        rooms = [resources.get(name, 0) / share for name, share in shares.items() if share]
        return math.floor(min(rooms, default=resources.get("CPU", 1)) + 1e-9)


class RayWorker:
    """One actor and its process; a `gnn_nas.parallel.pool.Worker`."""

    def __init__(self, ray: Any, actor: Any, work: Any) -> None:
        self._ray = ray
        self.actor = actor
        self.placed = actor.ready.remote()
        self._answer = actor.start.remote(work)

    def begin(self, job: Any) -> None:
        """Send it a job."""
        self._answer = self.actor.do.remote(job)

    def take(self, seconds: float | None) -> tuple[Any, Exception | None]:
        """Receive its answer. Raises TimedOut or WorkerDied."""
        try:
            return self._ray.get(self._answer, timeout=seconds)
        except self._ray.exceptions.GetTimeoutError:
            raise TimedOut(f"not done after {seconds:g} seconds") from None
        except self._ray.exceptions.RayError as error:
            cause = getattr(error, "cause", error)
            raise WorkerDied(" ".join(str(cause).split())[:300]) from None


class _Host:
    """What runs in the cluster: a process there is like one here, and ends with this one."""

    def ready(self) -> None:
        """Answer as soon as there is room."""

    def start(self, work: Callable[[Any], Any]) -> tuple[Any, Exception | None]:
        """Start the process, and answer when it is ready."""
        self._engine = LocalEngine(work, 1)
        self._worker = self._engine.start()
        return self._answer()

    def do(self, job: Any) -> tuple[Any, Exception | None]:
        """Do a job."""
        self._worker.begin(job)
        return self._answer()

    def end(self) -> None:
        """End the process."""
        self._engine.end([self._worker])

    def _answer(self) -> tuple[Any, Exception | None]:
        try:
            return self._worker.take(None)
        except Terminated:
            # By whatever takes this machine away: there are others.
            raise WorkerDied("the process was asked to end") from None
