"""How the C library deals with the memory of a step once it is freed."""

import ctypes

# Numbers that glibc's mallopt has for its settings, and their values in bytes.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT, _LARGE = 2**30, 2**25


def keep_freed_memory() -> None:
    """Let the process keep what is freed, up to 1 GiB, because every step needs the same again.

    To give memory back to the system and to get it again, page by page, costs up to a tenth of a
    step on a CPU. Without glibc nothing changes.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "gnu_get_libc_version"):
        libc.mallopt(_TRIM_THRESHOLD, _KEPT)
        # What is larger would be mapped anew each time; with the other set, this no longer adapts.
        libc.mallopt(_MMAP_THRESHOLD, _LARGE)
