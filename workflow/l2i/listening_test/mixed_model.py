"""The effect of the system on ratings, by a mixed model with crossed random effects.

The model is, in the notation of lme4,

    rating ~ system + class + (system | participant) + (system | stimulus) + (1 | trial)

Each trial holds one rating of either system, so whatever is common to both, the class, how strict a
participant is, how hard a stimulus, drops out of their difference, and so do variances that say
nothing of the effect. What is fitted is what is left, of the same effect with the same error:

    difference ~ 1 + (1 | participant) + (1 | stimulus)

Without the random slopes, that participants and stimuli differ in what they make of a system, the
error would be far too small (Barr et al. 2013): 95 % intervals held the effect in 60 to 84 of 100
tests. Restricted maximum likelihood, by statsmodels as variance components; the simplex method,
since gradients fail where a variance is estimated as 0, which is often and no fault. The interval
and p are by Student's t with one degree of freedom less than the smaller number of participants and
stimuli.

References
----------
D. J. Barr, R. Levy, C. Scheepers, H. J. Tily, Random effects structure for confirmatory hypothesis
testing: keep it maximal, J. Mem. Lang. 68, 2013.
R. H. Baayen, D. J. Davidson, D. M. Bates, Mixed-effects modeling with crossed random effects for
subjects and items, J. Mem. Lang. 59, 2008.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtr

from l2i.reporting.intervals import NO_VARIANCE, student_quantile

NAN = float("nan")
MOST_STEPS = 2000  # of the simplex; some 100 are usual


class Effect(NamedTuple):
    """A fixed effect with its interval; of one that could not be had, ``note`` says why."""

    mean: float = NAN
    low: float = NAN
    high: float = NAN
    p: float = NAN
    note: str = ""


def fit_difference(difference: pd.Series, trials: pd.DataFrame, *, confidence: float) -> Effect:
    """The mean difference between two systems over other participants and other stimuli.

    Parameters
    ----------
    difference : (n,) Series
        One for each trial.
    trials : DataFrame
        ``participant`` and ``stimulus`` of each.
    confidence : float
        Of the interval.

    Returns
    -------
    Effect
        Without numbers where there is too little to fit, or the fit does not converge.
    """
    groups = trials[["participant", "stimulus"]]
    n_clusters = int(groups.nunique().min())
    if n_clusters < 2 or len(trials) <= groups.nunique().max():
        return Effect(note="not fitted: participants and stimuli do not cross")
    if np.var(difference) < NO_VARIANCE:
        return Effect(note="not fitted: the difference is the same in all trials")
    found = _fitted(difference.to_numpy(dtype=float), groups)
    if found is None:
        return Effect(note="not converged")
    mean, error = found
    t = student_quantile(n_clusters - 1, confidence)
    p = 2 * float(stdtr(n_clusters - 1, -abs(mean) / error))
    return Effect(mean, mean - t * error, mean + t * error, p)


def _fitted(difference: np.ndarray, groups: pd.DataFrame) -> tuple[float, float] | None:
    """Effect and standard error; None where the fit did not converge."""
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec  # seconds to import

    names = ["participant", "stimulus"]
    of_each = [pd.get_dummies(groups[name]).to_numpy(dtype=float) for name in names]
    columns = [[[*map(str, range(each.shape[1]))]] for each in of_each]
    one_group = np.ones(len(difference))
    model = MixedLM(
        difference,
        one_group[:, None],
        groups=one_group,
        exog_vc=VCSpec(names, columns, [[each] for each in of_each]),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a variance is 0 is no fault
        try:
            found = model.fit(reml=True, method=["nm"], maxiter=MOST_STEPS)
            mean, error = float(found.fe_params[0]), float(found.bse_fe[0])
        except np.linalg.LinAlgError:
            return None
    return (mean, error) if found.converged and np.isfinite(error) and error > 0 else None
