"""Intervals hold the truth about as often as they say; `make coverage` measures it in full.

Of n intervals that hold the truth with probability 0.95, the share that does has a standard error
of sqrt(0.95 x 0.05 / n); the bounds are four of these.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from helpers.project import load_module

intervals = load_module("intervals", folder="workflow/bench")

NAMES = ["accuracy", "macro_auprc", "mean_average_precision", "avg_weighted_f1", "ff_median"]
DESIGNS = {  # percentiles, clip by clip, held 0.77 of macro-AUPRC in the first
    "small": (intervals.Design(60, 0.1, strength=3.0), NAMES, 100),
    "small, of sources": (intervals.Design(60, 0.1, 30, 0.3), [*NAMES, "average_precision"], 100),
    "large, of sources": (intervals.Design(664, 0.05, 48, 0.2), NAMES[-2:], 60),
}


@pytest.fixture(scope="module", params=DESIGNS.values(), ids=DESIGNS)
def measured(request):
    design, names, n = request.param
    table = intervals.coverage(design, n_trials=n, n_bootstrap=100, names=names)
    return table, 4 * np.sqrt(0.95 * 0.05 / n)


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say(measured):
    table, margin = measured
    missed = table[(table["coverage"] < 0.95 - margin) | (table["coverage"] > 0.95 + margin)]
    assert missed.empty, missed


@pytest.mark.slow
def test_what_varies_little_has_a_narrow_interval(measured):
    table, _ = measured
    ratio = table["width"] / table["sd"]
    assert ((ratio > 2.8) & (ratio < 5)).all(), ratio


def test_clips_of_one_source_are_alike_and_clips_apart_are_not():
    rng = np.random.default_rng(0)
    design = intervals.Design(4000, 0.5, n_sources=800, likeness=0.5)
    clips, _ = intervals.test_set(design, rng)
    label = clips["label_class 0"]
    shared = label.groupby(clips["source"]).transform("mean")
    assert label.mean() == pytest.approx(0.5, abs=0.05)
    # Of two normal numbers that correlate by a half, signs agree in two of three cases.
    of_others = (shared * 5 - label) / 4
    assert np.corrcoef(label, of_others)[0, 1] > 0.25
    apart, _ = intervals.test_set(design._replace(n_sources=None), rng)
    assert apart["source"].is_unique


def test_a_system_is_worse_than_the_one_that_it_is_subtracted_from():
    one, other = intervals.test_set(intervals.Design(2000, 0.1), np.random.default_rng(0))
    how = {"statistics": {"n_bootstrap": 1, "confidence": 0.95}, "seed": 0}
    found = intervals.numbers()
    for name in ("accuracy", "mean_average_precision", "avg_weighted_f1"):
        apart = found[f"{name}_difference"](one, other, **how)["mean"]
        assert apart == pytest.approx(
            found[name](one, other, **how)["mean"] - found[name](other, one, **how)["mean"]
        )
        assert apart > 0


@pytest.mark.parametrize("n", [3, 5])
def test_one_process_differs_from_itself_in_at_most_6_of_100_pairs(n):
    assert 0.02 < intervals.false_differences(n, n, n_pairs=6000) <= 0.06


def test_the_report_marks_what_is_out_of_bounds():
    names = [*intervals.numbers()]
    table = pd.DataFrame({"coverage": [0.95] * len(names)}, index=names)
    table.loc["accuracy", "coverage"] = 0.9
    page = intervals.page({intervals.DESIGNS[0]: table}, 10, 10)
    assert "| accuracy | **0.900** |" in page and "| macro-AUPRC | 0.950 |" in page
    assert "| 60 clips, 0.1, d = 2 |" in page
