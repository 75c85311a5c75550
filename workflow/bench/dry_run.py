"""How long a plan takes: `snakemake -n` and `l2i plan` where nothing of the paper is there yet."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from parts import Given
from rows import Row, at_most

PROJECT = Path(__file__).resolve().parents[2]
N_TIMES = 3
SECONDS = 4.0  # at most, of the paper's configuration


def measure(given: Given) -> list[Row]:
    """Seconds from the command to its end, of the paper's configuration; of the demo's if tiny."""
    overlay = ["--configfile", str(PROJECT / "config/demo.yaml")] if given.tiny else []
    place = ["--directory", str(given.scratch)]
    dry_run = ["snakemake", "--snakefile", str(PROJECT / "Snakefile"), "-n", "--quiet", "all"]
    rows = []
    for name, command, bar in (
        ("snakemake -n", [*dry_run, *place, *overlay], SECONDS),
        ("l2i plan", ["cli.main", "plan", *place, *overlay], None),
    ):
        wall, cores = _seconds(command, n_times=1 if given.tiny else N_TIMES)
        note = f"{cores:.1f} s of a core"
        if sys.dont_write_bytecode:
            note += "; PYTHONDONTWRITEBYTECODE is set, which may cost seconds"
        rows.append(at_most(f"planning: {name}", "s", wall, bar, note=note))
    return rows


def _seconds(command: list[str], *, n_times: int) -> tuple[float, float]:
    """Of a module with arguments, on the clock and of cores: the middle of so many times.

    It runs once before, so that files are in memory and compiled.
    """
    took = [_once(command) for _ in range(1 + n_times)][1:]
    wall, cores = zip(*took, strict=True)
    return median(wall), median(cores)


def _once(command: list[str]) -> tuple[float, float]:
    def of_children() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    started, before = time.perf_counter(), of_children()
    subprocess.run(
        [sys.executable, "-m", *command],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "workflow")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started, of_children() - before
