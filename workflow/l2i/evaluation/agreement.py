"""How alike two explanations of one decision are."""

from __future__ import annotations

import numpy as np


def agreement(r: np.ndarray, other: np.ndarray, *, threshold: float) -> dict[str, float]:
    """How alike two explanations of one decision are, each a relevance of every component, (K,).

    Returns
    -------
    dict
        ``correlation``: Spearman's over components, ties having their mean rank. Equal relevances
        have 1, and 0 it is where one side only has no order, all of its relevances being the same.
        ``overlap``: Jaccard's, of the sets above `threshold`; two empty ones are the same.
        ``top_same``: 1 where the most relevant component is the same one, else 0.
    """
    chosen, other_chosen = r > threshold, other > threshold
    either = (chosen | other_chosen).sum()
    return {
        "correlation": _rank_correlation(r, other),
        "overlap": float((chosen & other_chosen).sum() / either) if either else 1.0,
        "top_same": float(r.argmax() == other.argmax()),
    }


def _rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    if np.array_equal(x, y):
        return 1.0
    a, b = (_ranks(each) - (len(each) + 1) / 2 for each in (x, y))
    spread = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / spread) if spread else 0.0


def _ranks(x: np.ndarray) -> np.ndarray:
    """Ranks from 1 on, (K,); ties have their mean rank, as in scipy.stats, which loads slowly."""
    _, tie, sizes = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(sizes) - (sizes - 1) / 2)[tie]
