"""A number of test clips, where all of them would take too long."""

from __future__ import annotations

import numpy as np

from l2i.datasets.fold import Fold
from l2i.streams import random_stream


def drawn_test_rows(fold: Fold, n_clips: int, purpose: str, seed: int) -> np.ndarray:
    """Rows of a fold's test clips in their order, or of so many of them drawn at random.

    Parameters
    ----------
    fold : Fold
    n_clips : int
        At most so many.
    purpose : str
        What for; draws for different purposes are independent.
    seed : int
    """
    rows = fold.test_rows
    if len(rows) <= n_clips:
        return rows
    return np.sort(random_stream(seed, purpose).choice(rows, n_clips, replace=False))
