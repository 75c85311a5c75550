"""The spectral dictionary of one fold: which columns it is learned from, and how it is kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from l2i.columns import Blocks, ClipColumns, MatrixColumns
from l2i.runtime import free_memory
from l2i.weights import load_weights, save_weights

KIND = "dictionary"


def training_columns(
    log_magnitude: np.ndarray, train_rows: Sequence[int], *, device: str = "cpu"
) -> Blocks:
    """All frames of the training clips, one per column; frames of other clips are never read.

    A GPU holds them all if it has room for them and for what is computed; else, and on a CPU, they
    come from the array a few clips at a time.

    Parameters
    ----------
    log_magnitude : ndarray, shape (N_clips, F, T)
        Features of a data set, as a rule a memory map.
    train_rows : sequence of int
        Row numbers of the fold's training clips.
    device : str
        Where columns are wanted.
    """
    columns = ClipColumns(log_magnitude, train_rows, device)
    n_bytes = math.prod(columns.shape) * log_magnitude.itemsize
    if device == "cpu" or 2 * n_bytes > free_memory(device):
        return columns
    return MatrixColumns(columns.matrix())


def save_dictionary(path: str | Path, W: Tensor, **identity) -> None:
    """Write a dictionary W, (F, K), with the identity of its fold (l2i.fold)."""
    save_weights(path, {"W": W}, kind=KIND, **identity)


def load_dictionary(path: str | Path, **identity) -> Tensor:
    """Read a dictionary W, (F, K), refusing that of another fold, class list or front end."""
    return load_weights(path, kind=KIND, **identity)["W"]
