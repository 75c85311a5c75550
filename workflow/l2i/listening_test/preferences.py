"""What the ratings say: mean ratings and votes of each class, with intervals (paper, Fig. 4).

A trial is one stimulus rated by one participant. It is a vote for the system whose sound is rated
higher, and a tie where both are rated alike: a vote for neither, and counted among all. Differences
are taken trial by trial.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from l2i.checks import InputError
from l2i.listening_test.mixed_model import fit_difference
from l2i.listening_test.ratings import HIGHEST, LOWEST
from l2i.names import ALL_CLASSES
from l2i.reporting.crossed import crossed_mean, mean_interval, share_interval
from l2i.reporting.statistics import population_sd

RATING, VOTES, TIES, DIFFERENCE = "mean_rating", "votes", "ties", "rating_difference"
EFFECT = "rating_effect"  # the same difference by the mixed model
RANGE = HIGHEST - LOWEST


def trials_of(ratings: pd.DataFrame, systems: Sequence[str]) -> pd.DataFrame:
    """One row per trial: ``participant``, ``stimulus``, ``class``, and a rating for each system.

    Raises
    ------
    InputError
        If a trial is not rated for both of the two systems.
    """
    keys = ["participant", "stimulus", "class"]
    trials = ratings.pivot(index=keys, columns="system", values="rating").reset_index()
    if {*trials.columns} != {*keys, *systems} or trials[[*systems]].isna().any(axis=None):
        found = ", ".join(sorted(set(ratings["system"])))
        raise InputError(
            f"ratings are of {found}, and {' and '.join(systems)} are compared, both in each "
            "trial: import the answers to a test of these"
        )
    return trials.rename_axis(columns=None)


def numbers_of(
    ratings: pd.DataFrame, systems: Sequence[str], *, confidence: float
) -> Iterator[dict[str, Any]]:
    """Numbers of a data set, class by class in the order of their names, then of all together.

    Parameters
    ----------
    ratings : DataFrame
        See `l2i.listening_test.ratings.Ratings`.
    systems : sequence of str
        The two that are compared; differences are the second minus the first.
    confidence : float
        Of the intervals.

    Yields
    ------
    dict
        ``class``, ``system`` (empty for ties), ``metric``, ``condition``, ``mean``, ``n`` (trials),
        ``low``, ``high``, ``n_participants``, ``n_stimuli``; of ratings and their differences
        ``spread`` (population standard deviation over trials); of the mixed model ``p`` and, where
        it has no number, ``note``.
    """
    trials = trials_of(ratings, systems)
    for name, part in [*trials.groupby("class"), (ALL_CLASSES, trials)]:
        for number in _of_trials(part, systems, confidence):
            yield {"class": name, **number}
    first, second = systems
    effect = fit_difference(_difference(trials, systems), trials, confidence=confidence)
    yield {
        **{"class": ALL_CLASSES, "system": second, "metric": EFFECT},
        **{"condition": f"minus={first}", **_counts(trials), **effect._asdict()},
    }


def _of_trials(
    trials: pd.DataFrame, systems: Sequence[str], confidence: float
) -> Iterator[dict[str, Any]]:
    first, second = systems
    difference = _difference(trials, systems)
    for name in systems:
        yield {"system": name, "metric": RATING} | _mean(trials, trials[name], confidence)
    for name, sign in ((first, -1), (second, 1)):
        votes = (np.sign(difference) == sign).astype(float)
        yield {"system": name, "metric": VOTES} | _share(trials, votes, confidence)
    ties = (difference == 0).astype(float)
    yield {"system": "", "metric": TIES} | _share(trials, ties, confidence)
    paired = _mean(trials, difference, confidence, lowest=-RANGE, highest=RANGE)
    yield {"system": second, "metric": DIFFERENCE} | paired | {"condition": f"minus={first}"}


def _difference(trials: pd.DataFrame, systems: Sequence[str]) -> pd.Series:
    first, second = systems
    return trials[second] - trials[first]


def _mean(
    trials: pd.DataFrame,
    values: pd.Series,
    confidence: float,
    *,
    lowest: float = LOWEST,
    highest: float = HIGHEST,
) -> dict[str, Any]:
    found = crossed_mean(values, trials["participant"], trials["stimulus"])
    low, high = mean_interval(found, confidence=confidence, within=(lowest, highest))
    number = {"condition": "", "mean": found.mean, "spread": population_sd(values)}
    return number | {"low": low, "high": high} | _counts(trials)


def _share(trials: pd.DataFrame, votes: pd.Series, confidence: float) -> dict[str, Any]:
    """In percent."""
    found = crossed_mean(votes, trials["participant"], trials["stimulus"])
    low, high = share_interval(found, confidence=confidence)
    number = {"condition": "", "mean": 100 * found.mean, "low": 100 * low, "high": 100 * high}
    return number | _counts(trials)


def _counts(trials: pd.DataFrame) -> dict[str, Any]:
    return {
        "n": len(trials),
        "n_participants": trials["participant"].nunique(),
        "n_stimuli": trials["stimulus"].nunique(),
    }
