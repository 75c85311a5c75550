"""Answers that nobody gave, to try the analysis: marked as simulated in every row, for good."""

from __future__ import annotations

import numpy as np
import pandas as pd

from l2i.listening_test.answers import COLUMNS
from l2i.listening_test.naming import LABELS
from l2i.listening_test.ratings import HIGHEST, LOWEST, Asked

MEAN = 50.0
# Standard deviations, in points, of what listening tests of this kind differ by.
OF_PARTICIPANT, OF_STIMULUS, OF_SLOPE, OF_RATING = 10.0, 10.0, 6.0, 10.0
SECONDS = 40.0  # on a trial


def simulate(
    asked: Asked, *, n_participants: int, better: str, by: float, random: np.random.Generator
) -> pd.DataFrame:
    """Answers of the first participants of a test, in the form of its page.

    Parameters
    ----------
    asked : Asked
    n_participants : int
        At most as many as are planned for.
    better : str
        One of the two systems, whose ratings are higher ...
    by : float
        ... by so many points on average; participants and stimuli differ in it.
    random : Generator

    Returns
    -------
    DataFrame
        The columns `l2i.listening_test.answers.COLUMNS`; ``simulated`` is "true".
    """
    people = sorted({person for person, _ in asked.plan})[:n_participants]
    strict = dict(zip(people, random.normal(0, OF_PARTICIPANT, len(people)), strict=True))
    taste = dict(zip(people, random.normal(0, OF_SLOPE, len(people)), strict=True))
    stimuli = list(asked.classes)
    hard = dict(zip(stimuli, random.normal(0, OF_STIMULUS, len(stimuli)), strict=True))
    suits = dict(zip(stimuli, random.normal(0, OF_SLOPE, len(stimuli)), strict=True))
    rows = []
    for (person, stimulus), (position, systems) in sorted(
        asked.plan.items(), key=lambda item: (item[0][0], item[1][0])
    ):
        if person not in strict:
            continue
        seconds = round(float(random.exponential(SECONDS)), 1)
        for label, system in zip(LABELS, systems, strict=True):
            sign = 0.5 if system == better else -0.5
            level = MEAN + strict[person] + hard[stimulus]
            level += sign * (by + taste[person] + suits[stimulus]) + random.normal(0, OF_RATING)
            rating = int(np.clip(round(level), LOWEST, HIGHEST))
            rows.append(
                (asked.test, person, position, stimulus, asked.classes[stimulus], system, label)
                + (rating, seconds, "", "true")
            )
    return pd.DataFrame(rows, columns=COLUMNS)
