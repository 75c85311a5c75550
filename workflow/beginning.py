"""What is said once when a run begins, in the place of each of its jobs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake.logging import logger

from harness.log import NO_GPU, SAID

# Of NVIDIA, of Windows around Linux, and of AMD: without any of these there are CPUs alone.
DEVICES = ("nvidiactl", "nvhost-ctrl", "dxg", "kfd")


def tell_of_no_gpu(workflow: Any, jobs: Iterable[Any], devices: Path = Path("/dev")) -> None:
    """Say that there is no GPU, where jobs of this machine ask for one; they need not say so again.

    Where there may be one the jobs themselves find out, by loading PyTorch.
    """
    os.environ.pop(SAID, None)
    if not workflow.local_exec or any((devices / name).exists() for name in DEVICES):
        return
    if any(job.resources.get("gpu") or job.resources.get("gres") for job in jobs):
        logger.info(NO_GPU)
        os.environ[SAID] = NO_GPU  # the jobs inherit it
