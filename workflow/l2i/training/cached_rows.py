"""Where the data of a training job lives: once computed, kept as near to the device as it fits.

On the device if it fits, else in main memory, else in a scratch file that disappears with the job.
"""

from __future__ import annotations

import math
import os
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from l2i.disk import writing
from l2i.runtime import free_memory, on_device

HEADROOM = 0.5  # share of the free memory that resident data may take; the rest is for training
SCRATCH = "scratch file"
BATCH = 32


def place_for(n_bytes: int, device: str) -> str:
    """Where that much data fits: on the device, in main memory ('cpu'), or in a scratch file."""
    for place in (device, "cpu"):
        if n_bytes <= HEADROOM * free_memory(place):
            return place
    return SCRATCH


class CachedRows:
    """Rows of an array, kept in one place and handed out on a device.

    Parameters
    ----------
    shape : tuple of int
        Shape of the whole, rows first.
    dtype : torch.dtype
        Stored number format.
    place : str
        Device that keeps them, or SCRATCH.
    device : str
        Where rows are wanted.
    scratch : Path or None
        Folder on whose disk a scratch file lies, without a name, until the data are let go.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: torch.dtype,
        *,
        place: str,
        device: str,
        scratch: Path | None,
    ) -> None:
        self.device = torch.device(device)
        if place == SCRATCH:
            folder, n_bytes = scratch or tempfile.gettempdir(), math.prod(shape) * dtype.itemsize
            with (
                writing(folder, n_bytes=n_bytes),
                tempfile.NamedTemporaryFile(dir=folder) as file,  # gone by name, mapped still
            ):
                # A disk that is full when a page is first written to ends the process by SIGBUS.
                os.posix_fallocate(file.fileno(), 0, n_bytes)
                self.data = torch.from_file(
                    file.name, shared=True, size=math.prod(shape), dtype=dtype
                ).reshape(shape)
        else:
            self.data = torch.empty(shape, dtype=dtype, device=place)

    def fill(self, start: int, rows: Tensor) -> None:
        """Store consecutive rows."""
        self.data[start : start + len(rows)] = rows.to(self.data.device, self.data.dtype)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Rows by number, on the device."""
        found = self.data[on_device(rows, self.data.device)]
        if (
            found.device.type != self.device.type
        ):  # from pinned memory it goes while the device computes
            found = found.pin_memory()
        return found.to(self.device, non_blocking=True)


def chunks(rows: np.ndarray) -> list[np.ndarray]:
    """Row numbers in batches for a pass without gradients."""
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
