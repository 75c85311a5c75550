"""Whether two ways of measuring agree: rankings of systems, and of clips.

Both are metrics of :mod:`l2i.reporting.statistics`, so that their intervals are resampled like all
others: of frames with one row a clip and a column for each measurement.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from l2i.reporting.statistics import Metric


def kendall_of(statistic: Metric, ours: Sequence[str], theirs: Sequence[str]) -> Metric:
    """Kendall's tau-b between two rankings of systems.

    Parameters
    ----------
    statistic : callable
        What systems are ranked by: a metric of ``value``.
    ours, theirs : sequence of str
        Columns of the systems' values, in the same order, as measured in two ways.

    Returns
    -------
    callable
        A metric: from -1, one ranking is the other's reverse, to 1. NaN where all are equal in one.
    """

    def ranked(clips: pd.DataFrame, counts: np.ndarray, columns: Sequence[str]) -> np.ndarray:
        each = [statistic(clips.assign(value=clips[name]), counts) for name in columns]
        return np.stack(each, axis=1)

    def metric(clips: pd.DataFrame, counts: np.ndarray) -> np.ndarray:
        return kendall_tau_b(ranked(clips, counts, ours), ranked(clips, counts, theirs))

    return metric


def kendall_tau_b(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Kendall's tau-b of each of B pairs of rankings, (B, n) and (B, n) to (B,).

    Pairs that are tied in one ranking are neither concordant nor discordant, and the denominator
    makes up for them (M. G. Kendall, "The treatment of ties in ranking problems", Biometrika 33,
    1945). NaN where all are tied in one.
    """
    first, second = np.triu_indices(x.shape[1], k=1)
    signs = [np.sign(each[:, first] - each[:, second]) for each in (x, y)]
    norm = np.sqrt(np.square(signs[0]).sum(1) * np.square(signs[1]).sum(1))
    return _quotient((signs[0] * signs[1]).sum(1), norm)


def spearman_of(ours: str, theirs: str) -> Metric:
    """Spearman's rank correlation over clips between two columns.

    Returns
    -------
    callable
        A metric: Pearson's correlation of ranks, those of equal values being their mean. NaN where
        all are equal in one column.
    """

    def metric(clips: pd.DataFrame, counts: np.ndarray) -> np.ndarray:
        x, y = (_centred_ranks(clips[name].to_numpy(float), counts) for name in (ours, theirs))
        norm = np.sqrt((counts * x * x).sum(1) * (counts * y * y).sum(1))
        return _quotient((counts * x * y).sum(1), norm)

    return metric


def _centred_ranks(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Ranks less their mean, (B, N), of a multiset that holds a clip as often as it counts."""
    distinct, which = np.unique(values, return_inverse=True)
    held = counts @ np.eye(len(distinct))[which]  # (B, n_distinct)
    ranks = held.cumsum(1) - held / 2  # in the middle of those that are equal
    return ranks[:, which] - counts.sum(1, keepdims=True) / 2


def _quotient(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
