"""How much main memory a job may take, and what it means if it gets none.

A job of a cluster shares its node with others. What it was given stands in the cgroups that it runs
in, where the cluster has them, and in what it asked for; of these, of the machine and of the
process (ulimit -v) the smallest number counts.
"""

from __future__ import annotations

import errno
import os
import re
import resource
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

import psutil

from l2i.checks import reason
from l2i.disk import in_units

MiB = 2**20
ASKED_FOR = "L2I_JOB_MEMORY"  # bytes; the harness sets it to what the job asked its scheduler for
LARGE_PAGES = "THP_MEM_ALLOC_ENABLE"  # torch's own
NO_LIMIT = 2**60  # cgroups of version 1 have no word for it, but a number that no machine has


def free_main_memory(environment: Mapping[str, str] = os.environ, root: str | Path = "/") -> int:
    """Bytes that this process can still allocate; less than 0 where it has more than it may.

    Parameters
    ----------
    environment : mapping
        Where the scheduler says what the job was given.
    root : str or Path
        Of the file system in which `proc` and `sys` lie.
    """
    memory = psutil.Process().memory_info()
    held = memory.rss - memory.shared  # files that are mapped are given back when room is needed
    free = [psutil.virtual_memory().available]
    free += [limit - used for limit, used in _cgroups(Path(root))]
    free += [limit - held for limit in _given(environment).values()]
    free += [limit - memory.vms] if (limit := _address_space()) else []
    return min(free)


def take_large_pages() -> None:
    """Have torch ask for its large arrays in pages of 2 MiB, which Linux gives to who asks.

    Else what a step takes and gives back, arrays of 100 MB, comes from the system in pages of 4 KiB
    each time, and fills a fourth of a training step by design. Neither numbers nor peak memory
    change. Torch reads this as it allocates first, so it is to be called before. What a user has
    set stays.
    """
    os.environ.setdefault(LARGE_PAGES, "1")


def memory_limits(
    environment: Mapping[str, str] = os.environ, root: str | Path = "/"
) -> dict[str, int]:
    """Bytes that each allows a job to take, where it says so.

    The keys are machine, process (ulimit -v), cgroup, slurm, asked_for.
    """
    limits = {"machine": psutil.virtual_memory().total, **_given(environment)}
    cgroups = [limit for limit, _ in _cgroups(Path(root))]
    limits |= {"process": limit} if (limit := _address_space()) else {}
    return limits | ({"cgroup": min(cgroups)} if cgroups else {})


def shortage(error: BaseException | None) -> str | None:
    """What an error, or one behind it, says of memory that could not be had; None if nothing.

    NumPy and Python raise MemoryError, torch a RuntimeError (on a GPU a kind of it), the system an
    OSError; a reader may have taken any of them for damage of its file.
    """
    while error is not None:
        text = reason(error) if isinstance(error, Exception) else ""
        if asked := re.search(r"DefaultCPUAllocator: .*you tried to allocate (\d+) bytes", text):
            return f"{in_units(int(asked[1]))} could not be had"
        if type(error).__name__ == "OutOfMemoryError":  # without loading torch
            return text.partition(" Including non-PyTorch")[0].rstrip(".")
        if isinstance(error, MemoryError):
            return text if str(error) else "no memory could be had"
        if isinstance(error, OSError) and error.errno == errno.ENOMEM:
            return text
        error = error.__cause__ or error.__context__
    return None


def _address_space() -> int | None:
    """The limit of `ulimit -v`, if there is one."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def _given(environment: Mapping[str, str]) -> dict[str, int]:
    """What the scheduler says, and what it was asked for. SLURM counts in MiB, 0 is all."""
    given = {}
    if of_node := int(environment.get("SLURM_MEM_PER_NODE", 0)):
        given["slurm"] = of_node * MiB
    elif of_core := int(environment.get("SLURM_MEM_PER_CPU", 0)):
        given["slurm"] = of_core * int(environment.get("SLURM_CPUS_ON_NODE", 1)) * MiB
    if asked_for := int(environment.get(ASKED_FOR, 0)):
        given["asked_for"] = asked_for
    return given


def _cgroups(root: Path) -> Iterator[tuple[int, int]]:
    """Limit and use, in bytes, of each cgroup around this process that has a limit of memory.

    A container may see its own cgroup as the topmost one, and still be told its path on the host:
    of a path that is not there, the parts that are count.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            places, read = ["sys/fs/cgroup", "sys/fs/cgroup/unified"], _version_2
        elif "memory" in controllers.split(","):
            places, read = ["sys/fs/cgroup/memory"], _version_1
        else:
            continue
        inner = PurePosixPath(path.lstrip("/"))
        for place in places:
            for folder in (inner, *inner.parents):
                limit_and_use = read(root / place / folder)
                if limit_and_use is not None:
                    yield limit_and_use


def _version_2(folder: Path) -> tuple[int, int] | None:
    # Above `high` a job is slowed down until it crawls, above `max` it is killed.
    limits = [_number(folder / f"memory.{name}") for name in ("max", "high")]
    known = [limit for limit in limits if limit is not None]
    return _limit_and_use(min(known, default=None), folder, "memory.current", "")


def _version_1(folder: Path) -> tuple[int, int] | None:
    limit = _number(folder / "memory.limit_in_bytes")
    return _limit_and_use(limit, folder, "memory.usage_in_bytes", "total_")


def _limit_and_use(
    limit: int | None, folder: Path, usage: str, prefix: str
) -> tuple[int, int] | None:
    used = _number(folder / usage)
    if limit is None or used is None or limit >= NO_LIMIT:
        return None
    try:
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
    except OSError:
        lines = []
    statistics = dict(line.split() for line in lines)
    # Copies of files in memory count as used, but are given up when room is needed.
    files = [int(statistics.get(f"{prefix}{kind}_file", 0)) for kind in ("active", "inactive")]
    return limit, max(0, used - sum(files))


def _number(path: Path) -> int | None:
    """The number in a file; None where there is no file, or the word `max`."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return None if text == "max" else int(text)
