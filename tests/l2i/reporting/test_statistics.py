"""Fold statistics and their bootstrap interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from l2i.checks import InputError
from l2i.reporting.statistics import (
    BLOCK,
    bootstrap_interval,
    paired_difference,
    percentile_interval,
    population_sd,
    repeated_metric,
    repeated_values,
    require_pairs,
    resampled_metric,
)

FOLDS = ("1", "2", "3")


def clips_of(values, fold="1", **columns):
    """A frame of one replicate; clips are named in the order of their values."""
    names = [f"{fold}-{i:03d}" for i in range(len(values))]
    return pd.DataFrame({"fold": fold, "clip": names, "value": values, **columns})


def random_clips(rng, n=30, folds=FOLDS, runs=(0,)):
    return pd.concat(
        [clips_of(rng.random(n), fold=f, run=r) for f in folds for r in runs], ignore_index=True
    )


def interval(clips, statistic=np.mean, *, n_bootstrap=200, confidence=0.95, seed=0):
    return bootstrap_interval(
        clips, statistic, n_bootstrap=n_bootstrap, confidence=confidence, seed=seed
    )


class TestKnownAnswers:
    def test_population_sd_divides_by_n(self):
        assert population_sd([1.0, 3.0]) == 1.0

    def test_one_value_has_no_spread(self):
        assert np.isnan(population_sd([1.0]))

    def test_there_is_one_value_per_fold_and_folds_of_unequal_size_count_alike(self):
        clips = pd.concat([clips_of([0.0, 1.0]), clips_of([1.0, 1.0, 1.0, 1.0], fold="2")])
        assert repeated_values(clips, np.mean).tolist() == [0.5, 1.0]

    def test_runs_of_a_fold_are_averaged_before_folds_are_counted(self):
        parts = [
            clips_of([0.0, 0.0], run=0),
            clips_of([1.0, 1.0], run=1),
            clips_of([0.0, 0.0], fold="2", run=0),
            clips_of([0.0, 1.0], fold="2", run=1),
        ]
        assert repeated_values(pd.concat(parts), np.mean).tolist() == [0.5, 0.25]

    def test_with_one_fold_there_is_one_value_per_run(self):
        clips = pd.concat([clips_of([0.0, 1.0], run=0), clips_of([1.0, 1.0], run=1)])
        assert repeated_values(clips, np.mean).tolist() == [0.5, 1.0]

    def test_a_median_is_taken_within_each_draw_and_not_over_all_of_them(self):
        parts = [clips_of([0.0, 0.0, 9.0], draw=0), clips_of([6.0, 6.0, 6.0], draw=1)]
        assert repeated_values(pd.concat(parts), np.median).tolist() == [3.0]

    def test_equal_clips_have_an_interval_of_no_width(self):
        assert interval(clips_of([0.25] * 20)) == (0.25, 0.25)

    def test_folds_are_resampled_within_and_not_across(self):
        # Fold 1 is all 0 and fold 2 all 1: whatever is drawn, the mean over folds is a half.
        clips = pd.concat([clips_of([0.0] * 5), clips_of([1.0] * 50, fold="2")])
        assert interval(clips) == (0.5, 0.5)

    def test_interval_of_a_proportion_has_the_width_of_its_standard_error(self):
        low, high = interval(clips_of([0.0] * 200 + [1.0] * 200), n_bootstrap=4000)
        assert high - low == pytest.approx(2 * 1.96 * 0.5 / 20, rel=0.06)
        assert (low + high) / 2 == pytest.approx(0.5, abs=0.005)

    @pytest.mark.parametrize("statistic", [np.mean, np.median])
    def test_interval_equals_that_of_a_loop_over_resamplings(self, rng, statistic):
        clips = random_clips(rng, n=7, runs=(0, 1))
        replicates = []
        for b in range(50):
            folds = []
            for _, fold in clips.groupby("fold"):
                drawn = clips_drawn(fold, b, n_bootstrap=50, seed=3)
                runs = [run.set_index("clip")["value"] for _, run in fold.groupby("run")]
                folds.append(np.mean([statistic(run.loc[drawn].to_numpy()) for run in runs]))
            replicates.append(np.mean(folds))
        got = interval(clips, statistic, n_bootstrap=50, confidence=0.8, seed=3)
        assert got == pytest.approx(tuple(np.quantile(replicates, [0.1, 0.9])), abs=1e-12)


def clips_drawn(fold, b, *, n_bootstrap, seed):
    """Names drawn in the b-th resampling, seen by a statistic of clips that number themselves."""
    names = sorted(set(fold["clip"]))
    seen = []

    def spy(values, axis):
        seen.append(values.astype(int))
        return values.mean(axis=axis)

    numbered = pd.DataFrame({"fold": "any", "clip": names, "value": range(len(names))})
    bootstrap_interval(numbered, spy, n_bootstrap=n_bootstrap, confidence=0.9, seed=seed)
    return [names[i] for i in seen[0][b]]


class TestInvariants:
    def test_order_of_rows_changes_nothing(self, rng):
        clips = random_clips(rng, runs=(0, 1))
        shuffled = clips.sample(frac=1, random_state=1)
        assert interval(shuffled) == interval(clips)
        assert repeated_values(shuffled, np.median).tolist() == (
            repeated_values(clips, np.median).tolist()
        )

    def test_systems_measured_on_the_same_clips_are_resampled_alike(self, rng):
        clips = random_clips(rng)
        low, high = interval(clips)
        better = interval(clips.assign(value=clips["value"] + 0.25))
        assert better == pytest.approx((low + 0.25, high + 0.25), abs=1e-12)

    def test_identical_runs_are_as_certain_as_one(self, rng):
        once = random_clips(rng, runs=(0,))
        twice = pd.concat([once, once.assign(run=1)])
        assert interval(twice) == pytest.approx(interval(once), abs=1e-12)

    def test_folds_draw_independently_of_each_other(self, rng):
        values = rng.random(30)
        clips = pd.concat([clips_of(values, fold=f) for f in "12345"])
        low, high = interval(clips, n_bootstrap=2000)
        low_1, high_1 = interval(clips[clips["fold"] == "1"], n_bootstrap=2000)
        assert (high - low) / (high_1 - low_1) == pytest.approx(5**-0.5, rel=0.15)

    def test_another_seed_draws_otherwise_and_the_same_seed_alike(self, rng):
        clips = random_clips(rng)
        assert interval(clips, seed=1) != interval(clips, seed=0) == interval(clips, seed=0)

    def test_more_confidence_is_a_wider_interval(self, rng):
        clips = random_clips(rng)
        low, high = interval(clips, confidence=0.5)
        wide_low, wide_high = interval(clips, confidence=0.99)
        assert wide_low < low < high < wide_high

    def test_intervals_cover_the_truth_about_as_often_as_they_say(self, rng):
        covered = 0
        for _ in range(120):
            clips = pd.concat([clips_of(rng.random(80) < 0.7, fold=f) for f in "12"])
            low, high = interval(clips.astype({"value": float}), n_bootstrap=300, confidence=0.9)
            covered += low <= 0.7 <= high
        assert 0.83 < covered / 120 < 0.97

    def test_a_value_that_is_no_number_shows_in_both_results(self):
        clips = clips_of([0.0, np.nan, 1.0])
        for statistic in (np.mean, np.median):
            assert np.isnan(repeated_values(clips, statistic)).all()
            assert np.isnan(interval(clips, statistic)).all()


class TestPairs:
    def test_each_clip_meets_its_partner_whatever_the_order(self):
        clips = clips_of([1.0, 2.0, 4.0])
        other = clips_of([0.5, 2.0, 1.0]).iloc[::-1]
        pairs = paired_difference(clips, other)
        assert list(pairs["clip"]) == list(clips["clip"])
        assert list(pairs["value"]) == [0.5, 0.0, 3.0]

    def test_draws_of_a_clip_are_averaged_and_runs_stay_apart(self):
        clips = pd.concat([clips_of([1.0, 2.0], run=r, draw=0) for r in (0, 1)])
        other = pd.concat(
            [clips_of([0.0 + r, 0.0], run=r, draw=0) for r in (0, 1)]
            + [clips_of([1.0 + r, 0.0], run=r, draw=1) for r in (0, 1)]
        )
        pairs = paired_difference(clips, other)
        assert pairs.set_index(["run", "clip"])["value"].to_dict() == {
            **{(0, "1-000"): 0.5, (0, "1-001"): 2.0},
            **{(1, "1-000"): -0.5, (1, "1-001"): 2.0},
        }

    def test_the_interval_of_pairs_is_narrower_than_that_of_either_side(self, rng):
        clips = random_clips(rng)
        other = clips.assign(value=clips["value"] + rng.normal(0, 0.01, len(clips)))
        low, high = interval(paired_difference(clips, other))
        assert high - low < 0.1 * np.ptp(interval(clips))

    def test_a_draw_that_is_no_number_shows_in_its_clip(self):
        other = pd.concat([clips_of([np.nan, 0.0], draw=0), clips_of([0.0, 0.0], draw=1)])
        assert paired_difference(clips_of([1.0, 1.0]), other)["value"].isna().tolist() == [
            True,
            False,
        ]

    def test_a_clip_without_partner_is_named(self):
        more, fewer = clips_of([0.0] * 3), clips_of([0.0] * 2)
        for pair in ((more, fewer), (fewer, more)):
            with pytest.raises(InputError, match=r"1 clip\(s\) without partner.*1-002"):
                paired_difference(*pair)


def mean_of(clips, counts):
    """The mean, as a metric of whole clips."""
    return counts @ clips["value"].to_numpy() / counts.sum(-1)


class TestMetricsOfWholeClips:
    def test_repeated_values_are_those_of_the_statistic(self, rng):
        for folds, runs in (("123", (0, 1)), ("1", (0, 1, 2))):
            clips = random_clips(rng, folds=folds, runs=runs)
            ours, theirs = repeated_metric(clips, mean_of), repeated_values(clips, np.mean)
            assert ours == pytest.approx(theirs, abs=1e-12)

    @pytest.mark.parametrize("n_bootstrap", [1, BLOCK, 2 * BLOCK + 7])
    def test_draws_are_those_of_the_interval_of_values(self, rng, n_bootstrap):
        clips = random_clips(rng, runs=(0, 1))
        resampled = resampled_metric(clips, mean_of, n_bootstrap=n_bootstrap, seed=3)
        assert resampled.shape == (n_bootstrap,)
        expected = interval(clips, n_bootstrap=n_bootstrap, confidence=0.5, seed=3)
        assert percentile_interval(resampled, confidence=0.5) == pytest.approx(expected, abs=1e-12)

    def test_a_metric_sees_the_clips_of_one_replicate_in_order_and_how_often_each_counts(self, rng):
        clips = random_clips(rng, n=6, runs=(0, 1)).sample(frac=1, random_state=0)
        seen = []

        def spy(part, counts):
            seen.append((part["fold"].iloc[0], part["run"].iloc[0], list(part["clip"]), counts))
            return counts[:, 0]

        resampled_metric(clips, spy, n_bootstrap=4, seed=0)
        assert [(fold, run) for fold, run, _, _ in seen] == [(f, r) for f in FOLDS for r in (0, 1)]
        for fold, _, names, counts in seen:
            assert names == [f"{fold}-{i:03d}" for i in range(6)]
            assert counts.shape == (4, 6)
            assert (counts.sum(1) == 6).all()
        # Runs of a fold are resampled alike, folds are not.
        np.testing.assert_array_equal(seen[0][3], seen[1][3])
        assert (seen[0][3] != seen[2][3]).any()

    def test_order_of_rows_changes_nothing(self, rng):
        clips = random_clips(rng, runs=(0, 1))
        shuffled = clips.sample(frac=1, random_state=1)
        ours, theirs = (
            resampled_metric(frame, mean_of, n_bootstrap=9, seed=0) for frame in (clips, shuffled)
        )
        np.testing.assert_array_equal(ours, theirs)

    def test_no_resampling_is_no_interval(self):
        assert np.isnan(percentile_interval(np.array([]), confidence=0.9)).all()

    def test_pairs_have_the_same_clips_in_the_same_folds_and_runs(self, rng):
        clips = random_clips(rng, n=4, runs=(0, 1))
        require_pairs(clips, clips.sample(frac=1, random_state=0))
        with pytest.raises(InputError, match=r"8 clip\(s\) without partner.*fold, run, clip"):
            require_pairs(clips, clips[(clips["fold"] == "1") | (clips["run"] == 0)])


class TestMisuse:
    def test_a_run_that_lacks_a_clip_is_refused(self):
        clips = pd.concat([clips_of([0.0, 1.0], run=0), clips_of([0.0], run=1)])
        with pytest.raises(InputError, match="fold 1: every run and draw must hold the same 2"):
            interval(clips)

    def test_a_clip_that_stands_twice_is_refused(self):
        clips = clips_of([0.0, 1.0])
        with pytest.raises(InputError, match="each once"):
            repeated_values(pd.concat([clips, clips]), np.mean)

    def test_no_clips_are_refused(self):
        with pytest.raises(InputError, match="nothing to average"):
            repeated_values(clips_of([]), np.mean)

    def test_a_missing_column_is_named(self):
        with pytest.raises(InputError, match="lacks the column.* fold"):
            interval(clips_of([0.0]).drop(columns="fold"))

    def test_settings_out_of_range_are_named(self):
        with pytest.raises(InputError, match="statistics.n_bootstrap must be at least 1"):
            interval(clips_of([0.0]), n_bootstrap=0)
        with pytest.raises(InputError, match="statistics.n_bootstrap must be at least 1"):
            resampled_metric(clips_of([0.0]), mean_of, n_bootstrap=0, seed=0)
        with pytest.raises(InputError, match="statistics.confidence must lie between 0 and 1"):
            interval(clips_of([0.0]), confidence=95)
