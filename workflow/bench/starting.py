"""What it costs to start a job: CPU seconds until its script's function could be called."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from parts import Given
from rows import Row, at_most

WORKFLOW = Path(__file__).resolve().parents[1]
# A job of each kind, by what it loads: nothing, tables, figures, networks.
KINDS = {
    "a page": "list_atlases",
    "a table": "tabulate_fidelity",
    "a figure": "draw_thresholds",
    "measures": "measure_fidelity",
    "training": "train_system",
}
# As Snakemake starts a script: it unpacks what it says of the job, which takes its own module.
START = (
    "import sys, importlib.util; sys.path.insert(0, sys.argv[1]); import snakemake.script;"
    "spec = importlib.util.spec_from_file_location('job', sys.argv[2]);"
    "spec.loader.exec_module(importlib.util.module_from_spec(spec))"
)


def measure(given: Given) -> list[Row]:
    """CPU seconds of a process that imports what a script imports, the median of several."""
    n = 1 if given.tiny else 5
    kinds = {"a page": KINDS["a page"]} if given.tiny else KINDS
    return [
        at_most(
            f"starting: {kind}",
            "CPU s",
            statistics.median(cpu_seconds_to_start(script) for _ in range(n)),
            note=f"{script}.py, before it computes",
        )
        for kind, script in kinds.items()
    ]


def cpu_seconds_to_start(script: str) -> float:
    """CPU seconds, of user and system, of one start; Python's own and those of its end included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", START, WORKFLOW, WORKFLOW / f"scripts/{script}.py"],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
