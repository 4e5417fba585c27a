import ctypes
import subprocess
import sys

import pytest

SIZE, COUNT = 24 * 2**20, 4
PROGRAM = f"""
import ctypes
from gnn_nas.pretraining.allocation import keep_freed_memory

class Info(ctypes.Structure):
    _fields_ = [("arena", ctypes.c_size_t), ("others", ctypes.c_size_t * 9)]

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]
libc.mallinfo2.restype = Info

keep_freed_memory()
blocks = [libc.malloc({SIZE}) for _ in range({COUNT})]
for block in reversed(blocks):
    libc.free(block)
print(libc.mallinfo2().arena)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc 2.33 or newer")
def test_the_process_keeps_large_blocks_that_are_freed():
    command = [sys.executable, "-c", PROGRAM]
    heap = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert int(heap) >= COUNT * SIZE
