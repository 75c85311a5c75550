"""l2i.determinism: a job computes on the threads that it was given, whatever computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WORKFLOW = Path(__file__).parents[2] / "workflow"
# In a process of its own: what is held stays held. Some libraries are there before, others come
# after, others yet are a child's. What they are told comes from themselves; `cores` is CPU by wall
# time of work for four threads.
SCRIPT = """
import json, subprocess, sys, time
import numba, numpy, torch
from l2i.determinism import make_deterministic
make_deterministic(1)
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_info
child = subprocess.run(
    [sys.executable, "-c", "import numpy, threadpoolctl as t;"
     "print(max(p['num_threads'] for p in t.threadpool_info()))"],
    capture_output=True, text=True, check=True,
)
A = numpy.random.default_rng(0).random((1000, 1000), dtype=numpy.float32)
def cores(work):
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return (time.process_time() - cpu) / (time.perf_counter() - wall)
print(json.dumps({
    "pools": {p["filepath"]: p["num_threads"] for p in threadpool_info()},
    "torch": torch.get_num_threads(),
    "numba": numba.get_num_threads(),
    "child": int(child.stdout),
    "cores": [
        cores(lambda: [A @ A for _ in range(4)]),
        cores(lambda: [torch.from_numpy(A) @ torch.from_numpy(A) for _ in range(4)]),
        cores(lambda: KMeans(8, n_init=1, max_iter=20).fit(A[:, :50])),
    ],
}))
"""


def test_blas_openmp_torch_numba_and_children_are_held_to_the_threads_of_the_job():
    free = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    wide = free | {"NUMBA_NUM_THREADS": "4", "PYTHONPATH": str(WORKFLOW)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=wide | {"OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found["pools"]) > 2 and {*found["pools"].values()} == {1}
    assert (found["torch"], found["numba"], found["child"]) == (1, 1, 1)
    assert max(found["cores"]) <= 1.15


COMPILES = """
import json, os, numba
from l2i.determinism import hold_to_threads
found = []
for n in {held}:
    hold_to_threads(n)
    assert numba.njit(lambda x: x + 1)(1) == 2
    found.append((numba.get_num_threads(), os.environ["OMP_NUM_THREADS"]))
print(json.dumps(found))
"""


@pytest.mark.parametrize("held", [[1], [2, 1, 2], [1, 4, 1]])
def test_numba_that_was_loaded_before_still_compiles(held):
    """As it does in the first job of a new clone: it keeps what it compiles, but there is none."""
    done = subprocess.run(
        [sys.executable, "-c", COMPILES.format(held=held)],
        env=os.environ | {"NUMBA_NUM_THREADS": "4", "PYTHONPATH": str(WORKFLOW)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Threads that are started stay as many: of a job more is held to what it began with.
    found = [[min(n, held[0]), str(n)] for n in held]
    assert json.loads(done.stdout) == found
