"""Removals of components in tables and figures: the clips that count, and what is taken of them.

Frames are rows of faithfulness.csv, of one system and, where a clip may have several, of one class.
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from l2i.reporting.beside_paper import measure, measure_share
from l2i.reporting.statistics import mean, median, paired_difference, values_of

NOTHING, RELEVANT, ENERGY = "nothing", "relevant", "random_energy"  # among removals
# What is taken of values of clips, as a number of a table; shares are in percent.
MEDIAN, MEAN, SHARE = partial(measure, metric=median), partial(measure, metric=mean), measure_share


def values(removals: pd.DataFrame, column: str) -> pd.DataFrame:
    """One column of the rows, as statistics take it."""
    return values_of(removals, removals[column])


def net_drops(removals: pd.DataFrame, nothing: pd.DataFrame) -> pd.DataFrame:
    """Drops less those of the same clips when nothing is removed, as statistics take them."""
    return paired_difference(*(values(each, "probability_drop") for each in (removals, nothing)))


def unmatched(random: pd.DataFrame) -> pd.DataFrame:
    """Clips where a random set misses the energy that it is to match, as statistics take them.

    Parameters
    ----------
    random : DataFrame
        All runs and draws of `random_energy`.

    Returns
    -------
    DataFrame
        ``fold``, ``source``, ``clip``, and ``value``: 0 where every run and draw matches, 100
        elsewhere. One that does not match is enough, since statistics need all replicates to hold
        the same clips.
    """
    missed = random.assign(value=100.0 * (random["matched"] == 0))
    return missed.groupby(["fold", "source", "clip"])["value"].max().reset_index()


def without(removals: pd.DataFrame, left_out: pd.DataFrame) -> pd.DataFrame:
    """The rows of all clips but those that are `unmatched`."""
    kept = left_out.loc[left_out["value"] == 0, ["fold", "clip"]]
    return removals.merge(kept, on=["fold", "clip"])
