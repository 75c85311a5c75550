"""The same numbers from the same job: switches of torch that change results.

The harness throws them for every job. They are a part of what a result is, not of how it is moved,
so the fingerprint of every script includes this file (see l2i.provenance.fingerprints).
"""

from __future__ import annotations

import os
import sys
from types import ModuleType

from threadpoolctl import threadpool_limits

# What libraries read when they are loaded: BLAS and OpenMP of any maker, numba, and whatever a
# program that the job starts may be made of.
THREAD_VARIABLES = [
    f"{library}_NUM_THREADS" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA", "NUMEXPR")
]


def hold_to_threads(n_threads: int) -> None:
    """Let everything that computes use `n_threads` threads: what is loaded, what will be, children.

    Libraries that are loaded are told (torch, numba, and each BLAS and OpenMP in this process);
    those to come, here and in processes that are started, find it in their environment.
    """
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(n_threads)))
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(n_threads)
    if numba := sys.modules.get("numba"):  # before OpenMP is told: numba tells it another number
        _hold_numba(numba, n_threads)
    threadpool_limits(n_threads)


def _hold_numba(numba: ModuleType, n_threads: int) -> None:
    """Tell numba, which reads its environment again when it compiles.

    It refuses to compile where it then finds another number than that with which its threads were
    started, so that it must read it before they are, and find that one ever after.
    """
    try:
        numba.config.reload_config()
    except RuntimeError:  # they are started
        os.environ["NUMBA_NUM_THREADS"] = str(numba.config.NUMBA_NUM_THREADS)
    numba.set_num_threads(min(n_threads, numba.config.NUMBA_NUM_THREADS))


def make_deterministic(n_threads: int) -> bool:
    """Hold the process to `n_threads` threads, and torch, if loaded, to reproducible float32.

    To be called before the process computes anything with torch.

    Returns
    -------
    bool
        Whether torch was loaded, hence whether anything was set.
    """
    # Denormals make small factors of an NMF slow. Threads inherit the switch, so it comes first.
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_flush_denormal(True)
    hold_to_threads(n_threads)
    if torch is None:
        return False
    # cuBLAS reads this when it starts, which has not happened yet.
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    # The same switch as `use_deterministic_algorithms(True)`, without the load of torch's compiler
    # that comes with that: seconds in every job, and nothing here is compiled.
    torch.set_deterministic_debug_mode("error")
    # Nothing here reads memory before it is written; filling it would cost a tenth of training.
    torch.utils.deterministic.fill_uninitialized_memory = False
    # float32 means float32; bfloat16 is asked for by name.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return True
