"""A matrix seen as blocks of columns, so that it may be larger than memory.

Sparse NMF (l2i.dictionary.nmf) reads its data X, (F, N), one block after another and never whole.
What it asks of X is the small protocol :class:`Blocks`; here are the two ways to meet it: a matrix
in memory, and clips of a spectrogram array on disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from l2i.checks import InputError, require_shape

# About as many columns as keep a block of 513 bins and its K rows of H in a core's own cache. A GPU
# wants fewer and larger launches.
CPU_BLOCK = 512
GPU_BLOCK = 65536


class Blocks(Protocol):
    """A matrix of shape (F, N), read in blocks of columns.

    Item i is a pair: which columns, and their values (F, n) on `device`. Items may be read by
    several threads at a time.
    """

    shape: tuple[int, int]
    dtype: torch.dtype
    device: torch.device

    def __len__(self) -> int:
        """Number of blocks."""

    def __getitem__(self, i: int) -> tuple[slice, Tensor]:
        """Columns and values of block `i`."""


class MatrixColumns:
    """Blocks of a matrix (F, N): a tensor, or an array in memory or mapped from a file."""

    def __init__(self, X: Tensor | np.ndarray) -> None:
        require_shape(X, (None, None), "X")
        # PyTorch has no read-only tensors: blocks of a read-only map are copied one at a time.
        shared = isinstance(X, np.ndarray) and X.flags.writeable
        self._X = torch.from_numpy(X) if shared else X
        self._width = CPU_BLOCK
        self.device = torch.device("cpu")
        if isinstance(X, Tensor):
            self.device = X.device
            self._width = CPU_BLOCK if X.device.type == "cpu" else GPU_BLOCK
        self.shape = (X.shape[0], X.shape[1])
        self.dtype = _dtype(self._X)

    def __len__(self) -> int:
        return -(-self.shape[1] // self._width)

    def __getitem__(self, i: int) -> tuple[slice, Tensor]:
        columns = slice(i * self._width, min((i + 1) * self._width, self.shape[1]))
        block = self._X[:, columns]
        return columns, block if isinstance(block, Tensor) else torch.from_numpy(block.copy())


class ClipColumns:
    """Blocks of some clips of a spectrogram array (N_clips, F, T), laid one after another in time.

    Only the clips asked for are ever read, a few at a time.

    Parameters
    ----------
    clips : ndarray, shape (N_clips, F, T)
        In memory or, as usual, mapped from a file.
    rows : sequence or ndarray of int
        Which clips, in the order of their columns.
    device : str
        Where blocks are wanted.
    """

    def __init__(
        self, clips: np.ndarray, rows: Sequence[int] | np.ndarray, device: str = "cpu"
    ) -> None:
        require_shape(clips, (None, None, None), "clips")
        self._clips = clips
        self._rows = np.asarray(rows, dtype=np.int64)
        if not len(self._rows):
            raise InputError("rows must name at least one clip, got none")
        n_bins, n_frames = clips.shape[1:]
        width = CPU_BLOCK if device == "cpu" else GPU_BLOCK
        self._n_clips = max(1, round(width / n_frames))  # per block
        self.device = torch.device(device)
        self.shape = (n_bins, len(self._rows) * n_frames)
        self.dtype = _dtype(clips)

    def __len__(self) -> int:
        return -(-len(self._rows) // self._n_clips)

    def __getitem__(self, i: int) -> tuple[slice, Tensor]:
        first, n_frames = i * self._n_clips, self._clips.shape[2]
        rows = self._rows[first : first + self._n_clips]
        block = np.concatenate([self._clips[row] for row in rows], axis=1)
        columns = slice(first * n_frames, first * n_frames + block.shape[1])
        return columns, torch.from_numpy(block).to(self.device)

    def matrix(self) -> Tensor:
        """All columns at once, (F, N), on `device`."""
        X = torch.empty(self.shape, dtype=self.dtype, device=self.device)
        for i in range(len(self)):
            columns, block = self[i]
            X[:, columns] = block
        return X


def as_blocks(X: Tensor | np.ndarray | Blocks) -> Blocks:
    """X itself if it comes in blocks, else X cut into blocks."""
    return MatrixColumns(X) if isinstance(X, (Tensor, np.ndarray)) else X


def _dtype(X: Tensor | np.ndarray) -> torch.dtype:
    dtype = X.dtype if isinstance(X, Tensor) else torch.from_numpy(np.empty(0, X.dtype)).dtype
    if dtype not in (torch.float32, torch.float64):
        name = str(dtype).removeprefix("torch.")
        raise InputError(f"X must be of type float32 or float64, got {name}")
    return dtype
