"""The same numbers from the same job: switches of torch that change results.

The harness throws them for every job. They are a part of what a result is, not of how it is moved,
so the fingerprint of every script includes this file (see l2i.provenance.fingerprints).
"""

from __future__ import annotations

import os
import sys


def make_deterministic(n_threads: int) -> bool:
    """Hold torch to reproducible float32 arithmetic on `n_threads` threads, if it is loaded at all.

    To be called before the process computes anything with torch.

    Returns
    -------
    bool
        Whether torch was loaded, hence whether anything was set.
    """
    torch = sys.modules.get("torch")
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
    # Denormals make small factors of an NMF slow. Threads inherit the switch, so it comes first.
    torch.set_flush_denormal(True)
    torch.set_num_threads(n_threads)
    return True
