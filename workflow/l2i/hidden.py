"""Hidden maps of a frozen classifier: computed once per training job, kept where they fit.

Post-hoc training never changes the classifier, so running it in every epoch would be waste: it is
most of the cost of a naive epoch. The maps live in GPU memory if they fit, else in main memory,
else in a scratch memory map that disappears with the job. Spectrograms go to the GPU if they fit
beside them; otherwise they are read from the data set's own memory map. None of this is a result.
"""

from __future__ import annotations

import logging
import math
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from l2i.classifier import Classifier
from l2i.features import rows_of
from l2i.progress import progress
from l2i.runtime import autocast, free_memory

log = logging.getLogger(__name__)

HEADROOM = 0.5  # share of the free memory that resident data may take; the rest is for training
SCRATCH = "scratch file"
BATCH = 32


def place_for(n_bytes: int, device: str) -> str:
    """Where that much data fits: on the device, in main memory ('cpu'), or in a scratch file."""
    for place in (device, "cpu"):
        if n_bytes <= HEADROOM * free_memory(place):
            return place
    return SCRATCH


class Resident:
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
    scratch : Path
        Folder for a scratch file; the caller removes it.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: torch.dtype, *, place: str, device: str, scratch: Path
    ) -> None:
        self.device = torch.device(device)
        if place == SCRATCH:
            with tempfile.NamedTemporaryFile(dir=scratch, delete=False) as file:
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
        return self.data[rows.to(self.data.device)].to(self.device, non_blocking=True)


class HiddenMaps:
    """What a frozen classifier makes of the clips of one fold.

    Parameters
    ----------
    classifier : Classifier
        In evaluation mode.
    log_mel : np.ndarray [shape=(N, n_frames, n_mels)]
        Features of the data set, usually memory-mapped.
    rows : np.ndarray of int
        The clips wanted; row i of the maps is clip rows[i].
    taps : tuple of str
        Blocks whose outputs are kept.
    precision : torch.dtype
        Number format of computing and storing.
    device : str
        Where to compute, and to keep the maps if they fit.
    scratch : Path
        Folder for maps that fit nowhere else.
    """

    def __init__(
        self,
        classifier: Classifier,
        log_mel: np.ndarray,
        rows: np.ndarray,
        *,
        taps: tuple[str, ...],
        precision: torch.dtype,
        device: str,
        scratch: Path,
    ) -> None:
        self.maps: dict[str, Resident] = {}
        logits, start = [], 0
        for batch in progress(_chunks(rows), description="Compute hidden maps", unit="batch"):
            M = rows_of(log_mel, batch).to(device)
            with torch.no_grad(), autocast(device, precision):
                batch_logits, hidden = classifier.hidden_maps(M, taps)
            # (B, mel, time, channels): channels last once Psi has put mel before time.
            hidden = {tap: values.permute(0, 3, 2, 1) for tap, values in hidden.items()}
            if not self.maps:
                shapes = {tap: (len(rows), *values.shape[1:]) for tap, values in hidden.items()}
                n_bytes = precision.itemsize * sum(map(math.prod, shapes.values()))
                self.place = place_for(n_bytes, device)
                where = {"place": self.place, "device": device, "scratch": scratch}
                self.maps = {tap: Resident(s, precision, **where) for tap, s in shapes.items()}
            for tap, values in hidden.items():
                self.maps[tap].fill(start, values)
            logits.append(batch_logits.float())
            start += len(batch)
        self.logits = torch.cat(logits)
        log.info("hidden maps of %d clips kept in: %s", len(rows), self.place)

    def __getitem__(self, rows: Tensor) -> dict[str, Tensor]:
        """Hidden maps (B, channels, time, mel) of some rows, by block name."""
        return {tap: maps[rows].permute(0, 3, 2, 1) for tap, maps in self.maps.items()}


def resident_rows(
    array: np.ndarray, rows: np.ndarray, *, device: str, scratch: Path
) -> Resident | _Mapped:
    """Rows of a feature array: on the GPU if they fit, else read from the memory map at use.

    Main memory needs no copy of its own: the system keeps a memory map there as long as it fits.
    """
    shape = (len(rows), *array.shape[1:])
    n_bytes = math.prod(shape) * array.itemsize
    if torch.device(device).type == "cpu" or place_for(n_bytes, device) != device:
        return _Mapped(array, rows, device)
    resident = Resident(shape, torch.float32, place=device, device=device, scratch=scratch)
    for start in range(0, len(rows), BATCH):
        resident.fill(start, rows_of(array, rows[start : start + BATCH]))
    return resident


class _Mapped:
    """Rows of a memory map, read when asked for."""

    def __init__(self, array: np.ndarray, rows: np.ndarray, device: str) -> None:
        self.array, self.rows, self.device = array, rows, device

    def __getitem__(self, rows: Tensor) -> Tensor:
        return rows_of(self.array, self.rows[rows.cpu().numpy()]).to(self.device)


def _chunks(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
