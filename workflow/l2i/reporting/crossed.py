"""Intervals for means over answers that participants and stimuli have in common.

Each participant rates several stimuli, and each stimulus is rated by several participants: answers
are alike within either. Clustered both ways, the variance of a mean is that over participants plus
that over stimuli, less that over single answers, which both hold (Cameron, Gelbach & Miller 2011;
Miglioretti & Heagerty 2004); it is no less than either of the two.
Few clusters are what Student's t is for, with one degree of freedom less than the smaller number of
participants and stimuli (Cameron & Miller 2015).

The alternative, a bootstrap that draws participants and stimuli anew and crosses what it has drawn
(Owen 2007), counts the variance of single answers three times. Of 15 participants with 10 of 36
stimuli each, its 95 % intervals hold the mean in 97 to 100 of 100 tests and are a tenth to a half
wider; these hold it in 93 to 98.

References
----------
A. C. Cameron, J. B. Gelbach, D. L. Miller, Robust inference with multiway clustering, J. Bus. Econ.
Stat. 29, 2011.
A. C. Cameron, D. L. Miller, A practitioner's guide to cluster-robust inference, J. Hum. Resour. 50,
2015.
D. L. Miglioretti, P. J. Heagerty, Marginal modeling of multilevel binary data with time-varying
covariates, Biostatistics 5, 2004.
A. B. Owen, The pigeonhole bootstrap, Ann. Appl. Stat. 1, 2007.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from l2i.reporting.intervals import NO_VARIANCE, NONE, student_quantile, wilson_interval


class CrossedMean(NamedTuple):
    """A mean over answers: its variance, and how many participants or stimuli it rests on."""

    mean: float
    variance: float
    n_clusters: int  # the smaller number of the two

    @property
    def df(self) -> int:
        """Degrees of freedom of the variance."""
        return self.n_clusters - 1


def crossed_mean(values: np.ndarray, participants: np.ndarray, stimuli: np.ndarray) -> CrossedMean:
    """Mean of answers with its variance over other participants and stimuli.

    Parameters
    ----------
    values, participants, stimuli : (n,) array
        One for each answer, of which a participant gives one to a stimulus.
    """
    values = np.asarray(values, dtype=float)
    left = values - values.mean()
    of_participants, n_participants = _clustered(left, participants)
    of_stimuli, n_stimuli = _clustered(left, stimuli)
    of_answers, _ = _clustered(left, np.arange(len(left)))
    both = of_participants + of_stimuli - of_answers
    variance = max(both, of_participants, of_stimuli)
    return CrossedMean(float(values.mean()), variance, min(n_participants, n_stimuli))


def mean_interval(
    found: CrossedMean, *, confidence: float, within: tuple[float, float]
) -> tuple[float, float]:
    """Student's interval, cut where values end; NaN where there is one participant or stimulus."""
    t = student_quantile(found.df, confidence)
    if np.isnan(t):
        return NONE
    half = t * np.sqrt(found.variance)
    return max(within[0], float(found.mean - half)), min(within[1], float(found.mean + half))


def share_interval(found: CrossedMean, *, confidence: float) -> tuple[float, float]:
    """Wilson's interval for a mean of zeros and ones, with the number that its variance stands for.

    That is ``p (1 - p) / variance``, and the number of clusters where all answers are the same.
    """
    t = student_quantile(found.df, confidence)
    if np.isnan(t):
        return NONE
    p = found.mean
    varies = found.variance > NO_VARIANCE and 0 < p < 1
    return wilson_interval(p, p * (1 - p) / found.variance if varies else found.n_clusters, t)


def _clustered(left: np.ndarray, clusters: np.ndarray) -> tuple[float, int]:
    """Variance of a mean over clusters, by what is left of values without it; and their number.

    NaN would be that of one cluster: 0 stands for it, and there is no interval then.
    """
    names, of = np.unique(clusters, return_inverse=True)
    n = len(names)
    sums = np.bincount(of, weights=left)
    return (float((sums**2).sum()) / len(left) ** 2 * n / (n - 1) if n > 1 else 0.0), n
