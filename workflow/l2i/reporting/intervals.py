"""Intervals from resampled numbers: where the number of other recordings of the kind would lie.

What they hold, as often as they say, is the mean of a number over all test sets of this size; of
some metrics, such as the areas of DCASE, that depends on the size.

========================  =====================================================================
`score_interval`          of what lies between 0 and 1: accuracy, F1, areas under curves
`percentile_interval`     of means and medians of values
`student_interval`        of differences between scores
========================  =====================================================================

Plain percentiles of resampled scores do not do: a clip that is drawn twice is not two clips, so
areas come out lower when resampled; and a system that is right throughout would seem certain to be.
BCa and basic intervals move further in the wrong direction.

All are widened for few sources in two ways. Drawn from n sources, numbers vary less than sources
do, by (n - 1) / n in their variance; and that this is an estimate is what Student's t is for.
`make coverage` measures how often they hold the truth.

References
----------
A. C. Davison, D. V. Hinkley, Bootstrap Methods and their Application, 1997.
C. A. Field, A. H. Welsh, Bootstrapping clustered data, J. R. Statist. Soc. B 69, 2007.
T. C. Hesterberg, What teachers should know about the bootstrap, Amer. Statist. 69, 2015.
E. B. Wilson, Probable inference, J. Amer. Statist. Assoc. 22, 1927.
E. L. Korn, B. I. Graubard, Confidence intervals for proportions with small expected number of
positive counts estimated from survey data, Survey Methodology 24, 1998.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtrit

from l2i.checks import InputError

NONE = (float("nan"), float("nan"))
FEWEST = 5  # clips: of fewer, the bootstrap knows too little of how they vary for an interval
NO_VARIANCE = 1e-12  # of scores, from sums of the same terms in another order


class Sources(NamedTuple):
    """How many sources the clips of all folds come from, each fold's own being counted."""

    n: int
    n_folds: int

    @property
    def df(self) -> int:
        """Degrees of freedom of a variance within folds."""
        return self.n - self.n_folds


def sources_of(clips: pd.DataFrame) -> Sources:
    """The sources of a frame of clips; see `l2i.reporting.statistics`."""
    by_fold = clips.groupby("fold")["source"].nunique()
    return Sources(int(by_fold.sum()), len(by_fold))


def score_interval(
    estimate: float,
    resampled: np.ndarray,
    sources: Sources,
    *,
    confidence: float,
    informative: Sources | None = None,
) -> tuple[float, float]:
    """Wilson's interval for a number between 0 and 1, as if it were a share of n clips.

    n is what gives a share the variance that the resampled numbers have, ``p (1 - p) / variance``:
    the effective sample size of Korn & Graubard (1998). Of an accuracy over independent clips it is
    their number, and the interval Wilson's own. It stays between 0 and 1, holds the estimate, and
    does not shrink to a point where all is right.

    Parameters
    ----------
    estimate : float
    resampled : (n_bootstrap,) array
        Those that are no numbers, for want of positives, are left out.
    sources : Sources
    confidence : float
        Between 0 and 1.
    informative : Sources, optional
        Those that the number rests on, such as those that hold a class; all by default. Their
        number corrects the variance, and stands for n where nothing varies.

    Returns
    -------
    low, high : float
        Both NaN where the estimate is, or each fold has one source. From 0 to 1 where each fold has
        one informative source.
    """
    t = student_quantile(sources.df, confidence)
    resampled = _numbers(estimate, resampled)
    if np.isnan(t) or not len(resampled):
        return NONE
    known = informative or sources
    if known.df < 1:
        return 0.0, 1.0
    p = estimate
    variance = np.var(resampled) * known.n / known.df
    varies = variance > NO_VARIANCE and 0 < p < 1
    return wilson_interval(p, p * (1 - p) / variance if varies else known.n, t)


def wilson_interval(p: float, n: float, t: float) -> tuple[float, float]:
    """Wilson's interval for a share `p` of n, with the quantile `t`; between 0 and 1, p inside."""
    centre = (n * p + t**2 / 2) / (n + t**2)
    half = t * np.sqrt(n * p * (1 - p) + t**2 / 4) / (n + t**2)
    return max(0.0, float(min(centre - half, p))), min(1.0, float(max(centre + half, p)))


def percentile_interval(
    estimate: float, resampled: np.ndarray, sources: Sources, *, confidence: float
) -> tuple[float, float]:
    """Percentiles of resampled means or medians, further out for few sources (Hesterberg 2015).

    Of many sources these are the percentiles that leave ``(1 - confidence) / 2`` out on each side;
    of few, those of a normal distribution at Student's interval. Each end is a number that was
    resampled, never one between two: of a median it is one that clips can give, whatever the scale.

    Parameters
    ----------
    estimate, resampled, sources, confidence
        As in `score_interval`.

    Returns
    -------
    low, high : float
        Both NaN where the estimate is, or each fold has one source.
    """
    t = student_quantile(sources.df, confidence)
    resampled = _numbers(estimate, resampled)
    if np.isnan(t) or not len(resampled):
        return NONE
    tail = ndtr(-t * np.sqrt(sources.n / sources.df))
    # Mirrored, so that the interval of the negative is the negative one.
    low, high = (s * np.quantile(s * resampled, tail, method="inverted_cdf") for s in (1, -1))
    return float(min(low, estimate)), float(max(high, estimate))


def student_interval(
    estimate: float, resampled: np.ndarray, sources: Sources, *, confidence: float
) -> tuple[float, float]:
    """Student's interval for the difference of two scores, within -1 and 1.

    Where they do not differ in any resampling it is as wide as `score_interval` of a score of 1:
    that two systems answer some clips alike does not make them the same.

    Parameters
    ----------
    estimate, resampled, sources, confidence
        As in `score_interval`.

    Returns
    -------
    low, high : float
        Both NaN where the estimate is, or each fold has one source.
    """
    t = student_quantile(sources.df, confidence)
    resampled = _numbers(estimate, resampled)
    if np.isnan(t) or not len(resampled):
        return NONE
    variance = np.var(resampled) * sources.n / sources.df
    half = t * np.sqrt(variance) if variance > NO_VARIANCE else t**2 / (sources.n + t**2)
    return max(-1.0, float(estimate - half)), min(1.0, float(estimate + half))


def _numbers(estimate: float, resampled: np.ndarray) -> np.ndarray:
    """Resampled numbers that are any; none where the estimate is not."""
    return resampled[~np.isnan(resampled) & ~np.isnan(estimate)]


def student_quantile(df: int, confidence: float) -> float:
    """Student's t with ``(1 - confidence) / 2`` above it; NaN without a degree of freedom.

    There is none where each fold has one source, which tells nothing of others.
    """
    if not 0 < confidence < 1:
        raise InputError(f"statistics.confidence must lie between 0 and 1, got {confidence}")
    return float(stdtrit(df, (1 + confidence) / 2)) if df > 0 else float("nan")
