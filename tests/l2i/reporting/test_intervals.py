"""Intervals from resampled numbers: known answers, few sources, and what they must not do.

How often they hold the truth is measured in tests/workflow/test_coverage.py.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t

from l2i.checks import InputError
from l2i.reporting.intervals import (
    Sources,
    percentile_interval,
    score_interval,
    sources_of,
    student_interval,
)

INTERVALS = {
    "score": score_interval,
    "percentile": percentile_interval,
    "student": student_interval,
}
MANY = Sources(10**9, 1)


def normal(mean, sd, n=100_001):
    """Numbers that are spread as a normal distribution, without chance."""
    return mean + sd * norm.ppf((np.arange(n) + 0.5) / n)


def wilson(p, n, z):
    """Wilson's interval, as in his paper: the p' whose score test does not refuse p."""
    roots = np.roots([1 + z**2 / n, -(2 * p + z**2 / n), p**2])
    return tuple(sorted(roots.real))


class TestSources:
    def test_those_of_each_fold_are_counted_once(self):
        clips = pd.DataFrame({"fold": [*"1112"], "source": [*"aaba"], "run": [0, 1, 0, 0]})
        assert sources_of(clips) == (3, 2)
        assert sources_of(clips).df == 1


class TestScores:
    @pytest.mark.parametrize("p", [0.5, 0.9, 0.99])
    def test_of_independent_clips_it_is_wilsons(self, p):
        # The bootstrap's variance is p (1 - p) / n.
        got = score_interval(p, normal(p, np.sqrt(p * (1 - p) / 100)), MANY, confidence=0.95)
        assert got == pytest.approx(wilson(p, 100, norm.ppf(0.975)), abs=1e-4)

    def test_a_variance_five_times_as_large_is_that_of_a_fifth_of_the_clips(self):
        resampled = normal(0.9, np.sqrt(5 * 0.09 / 100))
        got = score_interval(0.9, resampled, MANY, confidence=0.95)
        assert got == pytest.approx(wilson(0.9, 20, norm.ppf(0.975)), abs=1e-4)

    def test_the_variance_is_corrected_for_the_number_of_informative_sources(self):
        resampled, few = normal(0.6, 0.05), Sources(6, 1)
        got = score_interval(0.6, resampled, MANY, confidence=0.9, informative=few)
        n = 0.24 / (0.05**2 * 6 / 5)
        assert got == pytest.approx(wilson(0.6, n, norm.ppf(0.95)), abs=1e-4)

    def test_few_sources_take_the_quantile_of_student(self):
        got = score_interval(0.6, normal(0.6, 0.05), Sources(12, 2), confidence=0.9)
        n = 0.24 / (0.05**2 * 12 / 10)
        assert got == pytest.approx(wilson(0.6, n, t.ppf(0.95, 10)), abs=1e-4)

    @pytest.mark.parametrize("p", [0.0, 1.0])
    def test_where_nothing_varies_there_are_as_many_clips_as_informative_sources(self, p):
        constant = np.full(9, p)
        low, high = score_interval(p, constant, MANY, confidence=0.95, informative=Sources(8, 1))
        assert (low, high) == pytest.approx(wilson(p, 8, norm.ppf(0.975)), abs=1e-6)
        assert high - low == pytest.approx(1.96**2 / (8 + 1.96**2), abs=1e-4)

    def test_one_informative_source_tells_nothing(self):
        one = Sources(1, 1)
        assert score_interval(0.7, normal(0.7, 0.1), MANY, confidence=0.9, informative=one) == (
            0,
            1,
        )

    @given(
        st.floats(0, 1),
        st.lists(st.floats(0, 1), min_size=1, max_size=9),
        st.integers(2, 50),
        st.floats(0.5, 0.999),
    )
    @settings(deadline=None)
    def test_it_stays_in_range_and_holds_the_estimate(self, p, resampled, n, confidence):
        low, high = score_interval(p, np.array(resampled), Sources(n, 1), confidence=confidence)
        assert 0 <= low <= p <= high <= 1


class TestPercentiles:
    def test_of_many_sources_they_leave_out_half_of_the_rest_on_each_side(self):
        resampled = np.arange(1001.0)
        got = percentile_interval(500, resampled, MANY, confidence=0.9)
        assert got == pytest.approx((50, 950), abs=1e-3)

    def test_of_normal_numbers_it_is_students_interval(self):
        # n values of standard deviation s: resampled means have s / sqrt(n), divisor n.
        n, s = 10, 2.0
        resampled = normal(7.0, s * np.sqrt((n - 1) / n) / np.sqrt(n))
        half = t.ppf(0.975, n - 1) * s / np.sqrt(n)
        got = percentile_interval(7.0, resampled, Sources(n, 1), confidence=0.95)
        assert got == pytest.approx((7 - half, 7 + half), abs=2e-3)

    def test_it_is_the_same_on_any_scale(self, rng):
        resampled, how = rng.normal(size=999), {"confidence": 0.95}
        low, high = percentile_interval(0.0, resampled, Sources(20, 1), **how)
        got = percentile_interval(1.0, np.exp(resampled), Sources(20, 1), **how)
        assert got == pytest.approx((np.exp(low), np.exp(high)), rel=0.02)

    def test_it_holds_the_estimate(self):
        assert percentile_interval(2.0, np.array([0.0, 1.0]), MANY, confidence=0.5)[1] == 2.0


class TestStudent:
    def test_of_a_mean_it_is_students_interval(self):
        n, s = 10, 0.2
        resampled = normal(0.05, s * np.sqrt((n - 1) / n) / np.sqrt(n))
        half = t.ppf(0.975, n - 1) * s / np.sqrt(n)
        got = student_interval(0.1, resampled, Sources(n, 1), confidence=0.95)
        assert got == pytest.approx((0.1 - half, 0.1 + half), abs=1e-4)

    def test_systems_that_answer_alike_are_not_certain_to_be_the_same(self):
        same = np.zeros(9)
        low, high = student_interval(0.0, same, Sources(60, 1), confidence=0.95)
        at_1, _ = score_interval(1.0, same + 1, Sources(60, 1), confidence=0.95)
        assert high == -low == pytest.approx(1 - at_1)
        assert 0.05 < high < 0.07  # the rule of three, on both sides

    def test_scores_do_not_lie_further_apart_than_1(self):
        low, high = student_interval(0.9, normal(0.9, 0.2), MANY, confidence=0.95)
        assert 0.4 < low < 0.9 and high == 1
        assert student_interval(-0.9, normal(-0.9, 0.2), MANY, confidence=0.95)[0] == -1


@pytest.mark.parametrize("interval", INTERVALS.values(), ids=INTERVALS)
class TestAll:
    def test_more_confidence_is_a_wider_interval(self, interval):
        resampled, few = normal(0.6, 0.05), Sources(30, 1)
        low, high = interval(0.6, resampled, few, confidence=0.5)
        wide_low, wide_high = interval(0.6, resampled, few, confidence=0.99)
        assert wide_low < low < 0.6 < high < wide_high

    def test_fewer_sources_are_a_wider_interval(self, interval):
        widths = [
            np.ptp(interval(0.5, normal(0.5, 0.05), Sources(n, 1), confidence=0.95))
            for n in (300, 30, 10, 4, 2)
        ]
        assert widths == sorted(widths)

    def test_folds_take_a_degree_of_freedom_each(self, interval):
        resampled = normal(0.5, 0.05)
        one, three = (interval(0.5, resampled, Sources(9, n), confidence=0.9) for n in (1, 3))
        assert np.ptp(three) > np.ptp(one)

    def test_a_source_alone_tells_nothing_of_others(self, interval):
        assert np.isnan(interval(0.5, np.full(5, 0.5), Sources(2, 2), confidence=0.95)).all()

    def test_no_number_has_no_interval(self, interval):
        assert np.isnan(interval(np.nan, np.full(5, 0.5), MANY, confidence=0.95)).all()
        assert np.isnan(interval(0.5, np.full(5, np.nan), MANY, confidence=0.95)).all()

    def test_resampled_numbers_that_are_none_are_left_out(self, interval):
        some = np.array([0.4, np.nan, 0.5, 0.6])
        assert interval(0.5, some, MANY, confidence=0.9) == (
            interval(0.5, some[~np.isnan(some)], MANY, confidence=0.9)
        )

    @pytest.mark.parametrize("confidence", [0, 1, 95])
    def test_a_confidence_out_of_range_is_named(self, interval, confidence):
        with pytest.raises(InputError, match="statistics.confidence must lie between 0 and 1"):
            interval(0.5, np.full(5, 0.5), Sources(1, 1), confidence=confidence)
