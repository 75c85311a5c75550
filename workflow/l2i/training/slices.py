"""Spectrograms as NMF classifiers see them: short slices of a clip, one spectrum each.

Names and shapes
----------------
X : (B, n_bins, T)  log-magnitude log(1 + |S|), as it is kept on disk
x : (B, S, F)       slices: F bins or mel bands, averaged over a few frames, in units of `level`
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from l2i.checks import InputError
from l2i.features.cache import rows_of
from l2i.features.spectral import FrontEnd, mel_filters
from l2i.training.cached_rows import CachedRows, chunks, place_for

REPRESENTATIONS = ("log_magnitude", "sqrt_mel")


class Slices(nn.Module):
    """From log-magnitudes to slices.

    `level` is the mean norm of the training slices, by which all are divided, so that penalties
    mean the same for both representations and at any loudness.

    Parameters
    ----------
    representation : {'log_magnitude', 'sqrt_mel'}
        log(1 + |S|), or the square root of the mel bands (Slaney) of |S|^2.
    frames : int
        Frames averaged to a slice; the last slice of a clip may have fewer.
    n_bins, sample_rate, n_mels : int
        Of the front end.

    Raises
    ------
    InputError
        If the representation is unknown, or a slice has no frame.
    """

    level: Tensor
    filters: Tensor | None

    def __init__(
        self, representation: str, frames: int, *, n_bins: int, sample_rate: int, n_mels: int
    ) -> None:
        super().__init__()
        if representation not in REPRESENTATIONS:
            raise InputError(
                f"representation is {representation!r}: set it to one of "
                f"{', '.join(REPRESENTATIONS)}"
            )
        if frames < 1:
            raise InputError(f"slice_frames is {frames}: set it to 1 or more")
        self.architecture: dict[str, Any] = {
            "representation": representation,
            "frames": frames,
            "n_bins": n_bins,
            "sample_rate": sample_rate,
            "n_mels": n_mels,
        }
        self.frames = frames
        self.n_features = n_bins if representation == "log_magnitude" else n_mels
        self.register_buffer("level", torch.ones(()))
        filters = None
        if representation == "sqrt_mel":
            filters = mel_filters(n_bins, n_mels, sample_rate, "slaney", torch.float32)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, X: Tensor) -> Tensor:
        """Slices x of log-magnitudes X."""
        frames = X.transpose(1, 2)
        if self.filters is not None:
            frames = (frames.expm1().square() @ self.filters).sqrt()
        whole = frames.shape[1] // self.frames * self.frames
        parts = [frames[:, :whole].unflatten(1, (-1, self.frames)).mean(2)]
        if whole < frames.shape[1]:
            parts.append(frames[:, whole:].mean(1, keepdim=True))
        return torch.cat(parts, dim=1) / self.level

    def n_slices(self, n_frames: int) -> int:
        """Number S of slices of a clip."""
        return math.ceil(n_frames / self.frames)


def slices_of(front_end: FrontEnd, representation: str, frames: int, **_: Any) -> Slices:
    """Slices of spectrograms of a front end."""
    return Slices(
        representation,
        frames,
        n_bins=front_end.n_bins,
        sample_rate=front_end.sample_rate,
        n_mels=front_end.n_mels,
    )


def compute_slices(
    slices: Slices, log_magnitude: np.ndarray, rows: np.ndarray, *, device: str, scratch: Path
) -> CachedRows:
    """Slices of the training clips, (len(rows), S, F), once for all; sets their level.

    Parameters
    ----------
    slices : Slices
        On the device.
    log_magnitude : ndarray, shape (N, n_bins, T)
        Features of the data set, usually memory-mapped.
    rows : ndarray of int
        Training clips.
    device : str
        Where they are computed, and wanted.
    scratch : Path
        Folder for slices that fit into no memory.
    """
    shape = (len(rows), slices.n_slices(log_magnitude.shape[2]), slices.n_features)
    place = place_for(4 * math.prod(shape), device)
    kept = CachedRows(shape, torch.float32, place=place, device=device, scratch=scratch)
    slices.level.fill_(1.0)
    start, norms = 0, torch.zeros((), dtype=torch.float64, device=device)
    for batch in chunks(rows):
        x = slices(rows_of(log_magnitude, batch).to(device))
        kept.fill(start, x)
        norms += x.norm(dim=2).sum(dtype=torch.float64)
        start += len(batch)
    if norms > 0:  # else all is silence, in any unit
        slices.level.fill_(float(norms) / math.prod(shape[:2]))
    kept.data /= slices.level.to(kept.data.device)
    return kept
