"""The machine that measures: what it is, how fast it multiplies and reads, what else it does."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch

from l2i.provenance.environments import installed_versions
from l2i.provenance.records import describe_accelerator, describe_git, describe_host, utc_now

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("torch", "torchaudio", "librosa", "scikit-learn", "numpy", "numba", "snakemake")
UNITS = re.compile(r"\b(?:amx_\w+|avx512_bf16|avx512f|avx2|bf16|sve2?)\b")  # that networks use
SIZES, N_TIMES = (1024, 2048), 4  # of square products; of each, the best counts
N_DISK_BYTES = 2**28
BUSY = 0.1  # of the cores used by others: from here on times are not to be trusted


def gemm_rate(dtype: torch.dtype = torch.float32, n_threads: int | None = None) -> float:
    """How fast torch multiplies square matrices on the CPU, in FLOP/s: the best of several.

    An upper bound of what a network or a factorisation can reach here: operations by this rate are
    the floor of a time.

    Parameters
    ----------
    dtype : torch.dtype
        float32 or bfloat16.
    n_threads : int, optional
        As many as torch uses, if not given.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads or before)
    try:
        return max(_rate_of_products(size, dtype) for size in SIZES)
    finally:
        torch.set_num_threads(before)


def _rate_of_products(size: int, dtype: torch.dtype) -> float:
    A, B = (torch.rand(size, size).to(dtype) for _ in range(2))
    C = A @ B
    best = float("inf")
    for _ in range(N_TIMES):
        began = time.perf_counter()
        torch.mm(A, B, out=C)
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best


def disk_rates(folder: Path, n_bytes: int = N_DISK_BYTES) -> dict[str, float]:
    """Bytes a second that the disk below a folder takes for good, and gives back uncached.

    Where the system keeps pages in spite of being told not to, `read` is the rate of memory.
    """
    path, block = folder / "rate", os.urandom(2**22)
    try:
        with path.open("wb", buffering=0) as file:
            began = time.perf_counter()
            for _ in range(n_bytes // len(block)):
                file.write(block)
            os.fsync(file.fileno())
            written = time.perf_counter() - began
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with path.open("rb", buffering=0) as file:
            began = time.perf_counter()
            while file.read(len(block)):
                pass
            read = time.perf_counter() - began
    finally:
        path.unlink(missing_ok=True)
    return {"write": n_bytes / written, "read": n_bytes / read}


class Others:
    """What other processes used of this machine meanwhile: `cores`, of `n_cores`."""

    def __init__(self) -> None:
        self.cores = float("nan")
        self.n_cores = psutil.cpu_count() or 1

    @property
    def share(self) -> float:
        """Of all cores."""
        return self.cores / self.n_cores

    @property
    def disturbed(self) -> bool:
        """Whether times that were measured meanwhile are not to be trusted."""
        return self.share >= BUSY


@contextmanager
def watched() -> Iterator[Others]:
    """What others use of the machine while the body runs, by the system's clocks of its cores."""
    others = Others()
    began, busy, own = time.perf_counter(), _busy_seconds(), cpu_seconds()
    try:
        yield others
    finally:
        used = (_busy_seconds() - busy) - (cpu_seconds() - own)
        others.cores = max(0.0, used / (time.perf_counter() - began))


def cpu_seconds() -> float:
    """CPU seconds of this process and of those of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _busy_seconds() -> float:
    """CPU seconds that all cores have worked since the machine was started."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    # A guest's time is part of the user's, and stolen time is no work of this machine.
    not_work = idle + sum(getattr(times, key, 0.0) for key in ("guest", "guest_nice", "steal"))
    return sum(times) - not_work


def describe_machine(scratch: Path) -> dict[str, Any]:
    """What a report says of the machine, its software and the code, measured rates included."""
    host = describe_host()
    n_threads = torch.get_num_threads()
    return {
        "at": utc_now(),
        "commit": describe_git(PROJECT),
        "cpu": host["cpu"],
        "n_cores": host["n_cores"],
        "n_threads": n_threads,
        "units": _units(),
        "memory_bytes": host["memory_bytes"],
        "disk": {"free": shutil.disk_usage(scratch).free, **disk_rates(scratch)},
        "gemm": {
            f"{name}, {n} thread{'s' * (n > 1)}": gemm_rate(getattr(torch, name), n)
            for name in ("float32", "bfloat16")
            for n in sorted({1, n_threads})
        },
        "gpu": describe_accelerator(),
        "system": host["system"],
        "software": {"python": platform.python_version(), **installed_versions(PACKAGES)},
    }


def _units() -> list[str]:
    """Vector and matrix units of the processor, by the names of the Linux kernel."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return [torch.backends.cpu.get_cpu_capability()]
    return sorted(set(UNITS.findall(text)))
