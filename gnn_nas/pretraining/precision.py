"""Which precision the matrix products of a training have, where its config leaves that open."""

from __future__ import annotations

import time

import torch

from gnn_nas.parallel import one_thread

# Rows and columns of the products that are timed: milliseconds even where each number is emulated.
_SIZE = 128
_REPEATS = 5


def choose_precision(asked: str, device: torch.device) -> str:
    """Give ``float32`` or ``bfloat16`` for a config's ``training.precision``.

    ``auto`` is bfloat16 only where the device computes in it.
    """
    if asked != "auto":
        return asked
    return "bfloat16" if computes_in_bfloat16(device) else "float32"


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether products in bfloat16 are faster here than in float32, so that nothing emulates them.

    On a CPU they are timed: which instructions it has does not say which of them are used, since
    environment variables forbid some to oneDNN.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return _seconds(torch.bfloat16) < _seconds(torch.float32)


def _seconds(dtype: torch.dtype) -> float:
    """The least time of a few products on one thread, which no other process can hold up."""
    factor = torch.ones(_SIZE, _SIZE, dtype=dtype)
    with one_thread():
        times = []
        for _ in range(1 + _REPEATS):
            started = time.perf_counter()
            factor @ factor
            times.append(time.perf_counter() - started)
    return min(times[1:])
