"""What jobs ask a scheduler for: cores, memory, time and a GPU. No targets here.

Two cores and no scheduler are enough to run everything: then only cores count.
"""

import math
import os

from configuration.costs import Costs

# Of the jobs that train, or pass clips through networks. What a CPU adds up in another order
# differs in its last bits, so the overlays that are compared from machine to machine have 1.
THREADS = config["machine"]["threads"]
GPU = 0 if config["machine"]["device"] == "cpu" else 1
# Where several jobs are submitted as one, they take turns: one GPU, and the cores of one, will do.
TURN = {"turn": 1}

# What jobs take was measured, and extrapolated from there: see workflow/configuration/costs.py.
COSTS = Costs(config)

START = 5  # minutes for a job to load its libraries from a slow disk, and ...
NEXT_START = 3  # ... for one that takes its turn after another, on the same machine
MARGIN = 3  # times the time that is expected, ...
NEXT_MARGIN = 2  # ... of jobs that take turns, whose errors even out in their sum, and ...
MEMORY_MARGIN = 1.5  # ... the memory
# Training goes on from its checkpoint and large arrays give way to the memory there is, so that
# asking for more than this would only make a job wait longer.
MOST_MINUTES, MOST_MB, LEAST_MB = 240, 32_000, 2_000


def asks(rule, gpu=False, **more):
    """Resources of a rule, by what a job of it is expected to take, growing with each attempt."""
    cores = THREADS if gpu else 1
    start, margin = (NEXT_START, NEXT_MARGIN) if "turn" in more else (START, MARGIN)

    def runtime(wildcards, attempt):
        cost = COSTS.of(rule, dict(wildcards))
        seconds = cost.core_seconds / cores
        if gpu and GPU and cost.gpu_seconds:
            seconds = min(seconds, cost.gpu_seconds)  # of jobs that did not keep theirs busy
        return attempt * math.ceil(min(start + margin * seconds / 60, MOST_MINUTES))

    def mem_mb(wildcards, attempt):
        expected = MEMORY_MARGIN * COSTS.of(rule, dict(wildcards)).memory_bytes / 1e6
        return attempt * math.ceil(min(LEAST_MB + expected, MOST_MB))

    return {"runtime": runtime, "mem_mb": mem_mb} | (_gpu() if gpu else {}) | more


def _gpu():
    """One GPU, by the name that a cluster has for it, if any."""
    name = os.environ.get("L2I_GPU_GRES") if GPU else None
    return {"gres": name} if name else {"gpu": GPU}
