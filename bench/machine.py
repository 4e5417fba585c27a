"""What the figures were measured on."""

import os
import platform
import re
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gnn_nas.parallel import available_cores


def machine() -> dict[str, Any]:
    """Processor, cores, memory and versions, with the load at this moment."""
    return {
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "processor": _entry("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": available_cores(),
        "memory_gb": round(int(_entry("/proc/meminfo", "MemTotal").split()[0]) / 2**20, 1),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def describe(machine: dict[str, Any]) -> str:
    """The same in a line."""
    return (
        "{processor}, {cores} cores, {memory_gb} GB; torch {torch}, Python {python};"
        " load at the start {load:.2f}".format(**machine)
    )


def _entry(path: str, key: str) -> str:
    found = re.search(rf"^{key}\s*:\s*(.*)$", Path(path).read_text(), re.MULTILINE)
    return found[1] if found else ""
