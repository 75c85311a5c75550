"""Clips that change places: what is measured of one, set against what another one gives."""

from __future__ import annotations

import numpy as np

from l2i.streams import random_stream


def exchange(n: int, seed: int) -> np.ndarray:
    """Another number for each of 0 ... n-1, none twice: the one before it in a random circle.

    Every other number is equally likely. Of one, there is no other, and it keeps its own.
    """
    circle = random_stream(seed, "exchange").permutation(n)
    others = np.empty(n, dtype=int)
    others[circle] = np.roll(circle, 1)
    return others
