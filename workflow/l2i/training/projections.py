"""The reconstruction loss without reconstructing (Eq. 3).

The squared error expands: ||X - W H||^2 = ||X||^2 - 2 <W'X, H> + <W'W H, H>. W does not change
while an interpreter learns, so the spectrograms are met once; what an epoch needs of them
afterwards is W'X, K rows a clip in place of n_bins. No estimate is formed, and the products are in
float32 whatever the precision of the network.

Names and shapes
----------------
X, H   : (B, n_bins, T) log-magnitude and (B, K, T) activations
WtX    : (B, K, T)
energy : (B,)     mean of X^2 over bins and frames
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from l2i.features.cache import rows_of
from l2i.progress import progress
from l2i.runtime import on_device
from l2i.training.cached_rows import CachedRows, chunks, place_for


class Projections:
    """What the reconstruction loss needs of the clips of one fold, computed once.

    Parameters
    ----------
    W : Tensor, shape (n_bins, K)
        Dictionary, on the device that computes.
    log_magnitude : np.ndarray [shape=(N, n_bins, n_frames)]
        Features of the data set, usually memory-mapped.
    rows : np.ndarray of int
        The clips wanted; clip i is rows[i].
    scratch : Path
        Folder for projections that fit into no memory.
    """

    def __init__(
        self, W: Tensor, log_magnitude: np.ndarray, rows: np.ndarray, *, scratch: Path
    ) -> None:
        self.n_bins, self.n_frames = log_magnitude.shape[1:]
        self.WtW = W.T @ W
        shape = (len(rows), W.shape[1], self.n_frames)
        device = str(W.device)
        place = place_for(math.prod(shape) * torch.float32.itemsize, device)
        self.WtX = CachedRows(shape, torch.float32, place=place, device=device, scratch=scratch)
        energies, start = [], 0
        for batch in progress(chunks(rows), description="Project spectrograms", unit="batch"):
            X = rows_of(log_magnitude, batch).to(W.device)
            self.WtX.fill(start, W.T @ X)
            energies.append(X.square().mean((-2, -1)))
            start += len(batch)
        self.energy = torch.cat(energies)

    def reconstruction(self, batch: Tensor, H: Tensor) -> Tensor:
        """Mean squared error of W H per clip, as :func:`l2i.training.losses.reconstruction`."""
        products = ((self.WtW @ H - 2 * self.WtX[batch]) * H).sum((-2, -1))
        return self.energy[on_device(batch, H.device)] + products / (self.n_bins * self.n_frames)
