"""Jobs in several processes: here, or on the machines of a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnn_nas.parallel.pool import Engine

ENGINES = ("local", "ray")


def available_cores() -> int:
    """Cores that this process may use, where the system tells; else those of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute a block on one thread: the last bits of sums depend on their number."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def get_engine(
    name: str, work: Callable[[Any], Any], workers: int | None, cpus: float = 1.0, gpus: float = 0.0
) -> Engine:
    """The engine of this name.

    Args:
        work: what its workers do, see `gnn_nas.parallel.pool.Engine`.
        workers: at once; None for as many as a cluster has room for, and here one.
        cpus, gpus: a worker's share on Ray.

    Raises:
        UserError: see `gnn_nas.parallel.ray.RayEngine`.
    """
    if name == "ray":
        from gnn_nas.parallel.ray import RayEngine

        return RayEngine(work, workers, cpus, gpus)
    from gnn_nas.parallel.local import LocalEngine

    return LocalEngine(work, workers or 1)
