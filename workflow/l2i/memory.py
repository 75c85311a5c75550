"""How the C library treats large blocks of memory; changes no number."""

from __future__ import annotations

import ctypes
import sys

# Parameters of glibc's mallopt(3).
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
LARGEST = 2**31 - 1


def keep_freed_memory() -> None:
    """Keep freed blocks for the next tensor instead of giving them back to the system.

    By default glibc maps every large tensor anew, and the kernel clears its pages one fault at a
    time: on a CPU that costs as much as computing with them. Elsewhere than on Linux nothing is
    done.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.mallopt(MMAP_THRESHOLD, LARGEST)
        libc.mallopt(TRIM_THRESHOLD, LARGEST)
