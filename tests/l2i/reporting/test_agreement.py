"""l2i.reporting.agreement: rank correlations, against SciPy's and where they are known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from l2i.reporting.agreement import kendall_of, kendall_tau_b, spearman_of
from l2i.reporting.statistics import mean, median

FEW = st.integers(-2, 2)  # so that ties are frequent
PAIRS = st.lists(st.tuples(FEW, FEW), min_size=2, max_size=7)


def same(found, wanted):
    return found == pytest.approx(wanted) if np.isfinite(wanted) else np.isnan(found)


class TestKendall:
    @given(PAIRS)
    def test_it_is_scipys(self, pairs):
        x, y = np.array(pairs, dtype=float).T
        (found,) = kendall_tau_b(x[None], y[None])
        varies = len(set(x)) > 1 and len(set(y)) > 1
        assert same(found, kendalltau(x, y).statistic if varies else np.nan)

    def test_rankings_are_of_statistics_of_the_clips(self):
        clips = pd.DataFrame(
            {"a 1": [0, 9, 9], "b 1": [1, 1, 9], "a 2": [0.1, 0.2, 0.2], "b 2": [0.3, 0.3, 0.3]}
        )
        columns = ["a 1", "b 1"], ["a 2", "b 2"]
        once, twice = np.ones((1, 3)), np.array([[2.0, 1.0, 0.0]])
        # By means and by medians a comes first in 1, b in 2; with the first clip twice b does.
        for statistic in (mean, median):
            metric = kendall_of(statistic, *columns)
            assert metric(clips, once) == [-1]
        assert kendall_of(median, *columns)(clips, twice) == [1]


class TestSpearman:
    @given(PAIRS)
    def test_it_is_scipys(self, pairs):
        x, y = np.array(pairs, dtype=float).T
        (found,) = spearman_of("x", "y")(pd.DataFrame({"x": x, "y": y}), np.ones((1, len(x))))
        varies = len(set(x)) > 1 and len(set(y)) > 1
        assert same(found, spearmanr(x, y).statistic if varies else np.nan)

    @given(st.lists(st.tuples(FEW, FEW, st.integers(0, 3)), min_size=2, max_size=6))
    def test_a_clip_counts_as_often_as_it_was_drawn(self, drawn):
        x, y, counts = np.array(drawn).T
        metric, clips = spearman_of("x", "y"), pd.DataFrame({"x": x, "y": y})
        (found,) = metric(clips, counts[None].astype(float))
        repeated = clips.loc[np.repeat(np.arange(len(x)), counts)]
        varies = repeated["x"].nunique() > 1 and repeated["y"].nunique() > 1
        assert same(found, spearmanr(*repeated.to_numpy().T).statistic if varies else np.nan)
