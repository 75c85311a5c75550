"""Paired permutation tests of two systems that were measured on the same clips.

The null hypothesis is that it makes no difference to a recording which of the two systems answered
it: the answers of both, those of all runs together, may then be exchanged, and the difference
between the systems is one among equals. Clips of one source are alike, so that their answers are
exchanged together; those of different sources are exchanged independently. What is asked is whether
two trained systems differ on recordings like these; what another training would give is told by the
spread over runs alone.

The tests are two-sided and seeded as the bootstrap is: by the sources of a fold. With n
permutations p is (1 + those at least as extreme as the difference itself) / (1 + n), which no
finite number of permutations makes too small (Phipson and Smyth 2010).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from l2i.checks import InputError
from l2i.reporting.statistics import (
    FoldClips,
    Metric,
    OfSums,
    blocks_of,
    folds_of,
    generator_of,
    require_pairs,
    terms_of_sources,
)

# Sums of the same terms in another order: how far apart they may come out and still be the same.
SAME = 1e-9


def sign_flip_p(pairs: pd.DataFrame, *, n_permutations: int, seed: int) -> float:
    """The p-value of a mean difference: an exchange flips the sign of the differences of a source.

    Parameters
    ----------
    pairs : DataFrame
        ``fold``, ``clip``, ``source``, ``value`` and, where there are runs, ``run``, from
        `l2i.reporting.statistics.paired_difference`. Runs are averaged clip by clip, clips within
        their fold, folds last.
    n_permutations, seed : int

    Returns
    -------
    float
        NaN where a value is NaN.
    """
    folds = []
    for fold in folds_of(pairs):
        differences = np.mean([rows["value"].to_numpy(float) for rows in fold.replicates], axis=0)
        signs = 1 - 2 * _exchanges(fold, n_permutations, seed)[:, fold.source]
        folds.append(signs @ differences / len(differences))
    return _p_value(np.mean(folds, axis=0))


def exchange_p(
    clips: pd.DataFrame, other: pd.DataFrame, metric: Metric, *, n_permutations: int, seed: int
) -> float:
    """The p-value of the difference in a metric that whole clips have together.

    Parameters
    ----------
    clips, other : DataFrame
        The same clips in the same folds and runs: see `l2i.reporting.statistics`.
    metric : callable
        See `l2i.reporting.statistics.Metric`.
    n_permutations, seed : int

    Returns
    -------
    float
        NaN where the metric of either system is.

    Raises
    ------
    InputError
        If a clip has no partner.
    """
    require_pairs(clips, other)
    folds = []
    for ours, theirs in zip(folds_of(clips), folds_of(other), strict=True):
        exchanges = _exchanges(ours, n_permutations, seed)
        runs = zip(ours.replicates, theirs.replicates, strict=True)
        if isinstance(metric, OfSums):
            each = [_differences_of_sums(ours, *run, metric, exchanges) for run in runs]
        else:
            exchanges = exchanges[:, ours.source]
            each = [_differences(*run, metric, exchanges) for run in runs]
        folds.append(np.mean(each, axis=0))
    return _p_value(np.mean(folds, axis=0))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p-values corrected for their number, whatever their dependence (Holm 1979).

    The i-th smallest of m is multiplied by m - i + 1; none falls below a smaller one, none exceeds
    1. Values that are no number stay so and are not counted.

    Parameters
    ----------
    p_values : sequence of float
        Of all comparisons of one family.

    Returns
    -------
    (n,) array, in the given order
    """
    values = np.asarray(p_values, dtype=float)
    corrected = np.full(len(values), np.nan)
    order = np.argsort(values, kind="stable")  # NaN comes last
    order = order[: np.count_nonzero(~np.isnan(values))]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(factors * values[order]), 1.0)
    return corrected


def _exchanges(fold: FoldClips, n_permutations: int, seed: int) -> np.ndarray:
    """Whether (1) or not (0) a source is exchanged, (1 + n_permutations, n); row 0: none is."""
    if n_permutations < 1:
        raise InputError(f"statistics.n_permutations must be at least 1, got {n_permutations}")
    n = len(fold.sources)
    drawn = generator_of(fold.sources, seed).integers(2, size=(n_permutations, n))
    return np.vstack([np.zeros(n), drawn])


def _differences(
    clips: pd.DataFrame, other: pd.DataFrame, metric: Metric, exchanges: np.ndarray
) -> np.ndarray:
    """Difference in a metric after each exchange, of the same clips in the same order.

    Metrics take counts of clips: a system that answers some clips as the other one does is the
    rows of both, one below the other, of which each clip counts once.
    """
    rows = pd.concat([clips, other], ignore_index=True)
    blocks = []
    for block in blocks_of(len(exchanges), len(rows)):
        theirs = exchanges[block]
        first = metric(rows, np.hstack([1 - theirs, theirs]))
        blocks.append(first - metric(rows, np.hstack([theirs, 1 - theirs])))
    return np.concatenate(blocks)


def _differences_of_sums(
    fold: FoldClips,
    clips: pd.DataFrame,
    other: pd.DataFrame,
    metric: OfSums,
    exchanges: np.ndarray,
) -> np.ndarray:
    """As `_differences`, of a metric of sums: what one side gains the other one loses."""
    ours, theirs = (terms_of_sources(fold, each, metric) for each in (clips, other))
    gained = np.zeros((len(exchanges), ours.shape[1]))
    # What is said of labels is the same of both sides, and most of the terms.
    differ = (ours != theirs).any(axis=0)
    gained[:, differ] = exchanges @ (theirs - ours)[:, differ]
    return metric.value(ours.sum(axis=0) + gained) - metric.value(theirs.sum(axis=0) - gained)


def _p_value(differences: np.ndarray) -> float:
    """Share of differences at least as large as the first, which is that of no exchange."""
    size = np.abs(differences)
    if np.isnan(size).any():
        return float("nan")
    return float(np.mean(size >= size[0] - SAME))
