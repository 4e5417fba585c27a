"""Measurements in processes of their own, so that neither threads nor memory disturb the others."""

import multiprocessing
import os
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"

ORDINARY = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
"""Environment that makes an ordinary machine, with AVX2 and no more, of a newer one."""

T = TypeVar("T")


def apart(function: Callable[..., T], *arguments: Any, threads: int, ordinary: bool = False) -> T:
    """Call a module's function in a new process of so many threads; its exceptions are raised.

    Args:
        ordinary: whether the process is to see a processor with AVX2 and no more.
    """
    # Spawned, as a fork would begin with this process's libraries and peak memory.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _prepare, (threads, ordinary)) as pool:
        return pool.submit(function, *arguments).result()


def environment(threads: int, ordinary: bool = False) -> dict[str, str]:
    """What a process needs in order to find this project's packages and to keep to its threads."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": str(threads),
        "NUMBA_NUM_THREADS": str(threads),
        **(ORDINARY if ordinary else {}),
    }


def peak_memory() -> float:
    """The most megabytes that this process has held in memory at once."""
    # Not from getrusage: that counts the memory of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def _prepare(threads: int, ordinary: bool) -> None:
    # Before the function's module is imported, and torch with it, which reads them then.
    os.environ.update(environment(threads, ordinary))
