"""Trainings on a Ray cluster, an existing one or one of this machine alone."""

from __future__ import annotations

from gnn_nas.parallel.ray_cluster import RayCluster
from gnn_nas.tasks.engines.pool import WorkerDied
from gnn_nas.tasks.task import Task
from gnn_nas.tasks.trainings import Job, Outcome, make_training

_RETRIES = 3


class RayEngine:
    """Makes Ray actors; a `gnn_nas.tasks.engines.pool.Engine`.

    A training whose worker dies is begun again elsewhere, a few times: machines of a cluster come
    and go. The nodes need this package, and the modules of a user's own task.

    Args:
        task: whose cells are trained.
        workers: at most so many at once; None for as many as the cluster has room for.
        cpus, gpus: a worker's share.

    Raises:
        UserError: see `gnn_nas.parallel.ray_cluster.RayCluster`.
    """

    retries = _RETRIES

    def __init__(self, task: Task, workers: int | None, cpus: float, gpus: float) -> None:
        self._cluster = RayCluster(cpus, gpus)
        self._ray = self._cluster.ray
        self.workers = min(workers or self._cluster.room, self._cluster.room)
        self._actor = self._cluster.actor(_Trainer)
        self._task = self._ray.put(task)

    def start(self) -> RayWorker:
        """Ask the cluster for an actor."""
        return RayWorker(self._ray, self._actor.remote(self._task))

    def wait(self, workers: list[RayWorker], seconds: float) -> list[RayWorker]:
        """Those that have something to say."""
        if not workers:
            return []
        by_answer = {worker.answer: worker for worker in workers}
        said, _ = self._ray.wait(list(by_answer), num_returns=len(by_answer), timeout=seconds)
        return [by_answer[answer] for answer in said]

    def close(self) -> None:
        """Leave the cluster that was joined for this, or end it."""
        self._cluster.close()


class RayWorker:
    """One actor; a `gnn_nas.tasks.engines.pool.Worker`."""

    def __init__(self, ray, actor) -> None:
        self._ray = ray
        self._actor = actor
        self.answer = actor.ready.remote()

    def begin(self, job: Job) -> None:
        """Send it a training."""
        self.answer = self._actor.train.remote(job)

    def take(self) -> Outcome | None:
        """Receive its answer. Raises WorkerDied."""
        try:
            return self._ray.get(self.answer)
        except self._ray.exceptions.RayError as error:
            raise WorkerDied(" ".join(str(error).split())[:300]) from None

    def end(self) -> None:
        """Kill it."""
        self._ray.kill(self._actor)


class _Trainer:
    """What runs in the cluster."""

    def __init__(self, task: Task) -> None:
        import torch

        # As everywhere, so that a seed gives the same rewards.
        torch.set_num_threads(1)
        self._task = task

    def ready(self) -> None:
        """Answer as soon as the task is there."""

    def train(self, job: Job) -> Outcome:
        """Make a training."""
        return make_training(self._task, job)
