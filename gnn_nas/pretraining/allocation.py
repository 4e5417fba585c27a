"""How the C library deals with the memory of a step once it is freed."""

import ctypes

# Numbers that glibc's mallopt has for its settings, and their values in bytes.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT, _LARGE = 2**30, 2**25


def keep_freed_memory() -> None:
    """Let the process keep freed blocks of up to 32 MiB, because every step needs the same again.

    To give memory back to the system and to get it again, page by page, costs up to a tenth of a
    step on a CPU. At most 1 GiB that nothing uses is kept. Without glibc nothing changes.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(_TRIM_THRESHOLD, _KEPT)
        # 32 MiB, the most that glibc takes; larger blocks are mapped anew each time. With the other
        # set, glibc no longer adapts this by itself.
        libc.mallopt(_MMAP_THRESHOLD, _LARGE)
