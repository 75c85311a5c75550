"""From which probability on a class counts as present."""

from __future__ import annotations

import numpy as np

GRID = np.arange(5, 96, 5) / 100  # as coarse as the few selection clips of a rare class allow
DEFAULT = 0.5
INTERPRETER_DECIDES = 0.5  # from this probability on (Sec. IV-C gives no threshold)


def best_thresholds(targets: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The threshold of the best F1 of each class, on clips that are neither learned nor tested.

    Of equally good thresholds the one nearest to 0.5 is taken, and 0.5 itself for a class without
    a positive label among these clips.

    Parameters
    ----------
    targets : np.ndarray [shape=(N, C)]
        Labels: 1, 0, or NaN where nobody has looked.
    probabilities : np.ndarray [shape=(N, C)]
        Of the classifier.

    Returns
    -------
    np.ndarray [shape=(C,), dtype=float32]
    """
    present, absent = targets == 1, targets == 0
    decided = probabilities > GRID[:, None, None]  # (G, N, C)
    hits = (decided & present).sum(1)
    wrong = (decided & absent).sum(1) + (~decided & present).sum(1)
    f1 = hits / np.maximum(hits + wrong / 2, 0.5)
    # The distance only orders what is equally good: it is far below the steps of F1.
    chosen = GRID[np.argmax(f1 - 1e-9 * np.abs(GRID - DEFAULT)[:, None], axis=0)]
    return np.where(present.any(0), chosen, DEFAULT).astype(np.float32)
