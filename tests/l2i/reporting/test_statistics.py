"""Fold statistics, and how they vary over recordings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.checks import InputError
from l2i.reporting.statistics import (
    OfSums,
    mean,
    median,
    paired_difference,
    population_sd,
    repeated_and_resampled,
    repeated_values,
    require_pairs,
    resample,
    values_of,
)

FOLDS = ("1", "2", "3")


def clips_of(values, fold="1", sources=None, **columns):
    """A frame of one replicate; clips are named in the order of their values."""
    names = [f"{fold}-{i:03d}" for i in range(len(values))]
    key = {"fold": fold, "clip": names, "source": names if sources is None else sources}
    return pd.DataFrame(key | {"value": values, **columns})


def random_clips(rng, n=30, folds=FOLDS, runs=(0,), n_sources=None):
    """Clips of folds and runs; of sources drawn for each, or each of its own."""
    parts = []
    for fold in folds:
        sources = n_sources and [f"s{i}" for i in rng.integers(n_sources, size=n)]
        parts += [clips_of(rng.random(n), fold, sources, run=run) for run in runs]
    return pd.concat(parts, ignore_index=True)


def resampled(clips, metric=mean, *, n_bootstrap=200, seed=0):
    return resample(clips, metric, n_bootstrap=n_bootstrap, seed=seed)


def multiset(values, counts):
    return np.repeat(values, np.asarray(counts, dtype=int))


class TestMetricsOfValues:
    @given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 4)), min_size=1, max_size=9))
    @settings(deadline=None)
    def test_they_are_those_of_the_multiset(self, pairs):
        values, counts = np.array(pairs).T
        counts[0] += not counts.any()
        clips, drawn = clips_of(values.astype(float)), multiset(values, counts)
        assert mean(clips, counts[None] * 1.0) == pytest.approx(drawn.mean())
        assert median(clips, counts[None] * 1.0) == np.median(drawn)

    def test_the_median_of_an_even_number_is_between_the_middle_two(self):
        clips = clips_of([3.0, 1.0, 2.0])
        counts = np.array([[1, 1, 0], [1, 2, 1], [0, 2, 2], [1, 1, 1], [2, 0, 0]], dtype=float)
        assert median(clips, counts).tolist() == [2.0, 1.5, 1.5, 2.0, 3.0]

    def test_values_take_along_what_they_belong_to(self):
        clips = clips_of([1.0], run=0, draw=2, system="l2i").drop(columns="value")
        assert list(values_of(clips, clips["draw"])) == [
            *("fold", "run", "draw", "source", "clip", "value")
        ]


class TestRepeatedValues:
    def test_population_sd_divides_by_n(self):
        assert population_sd([1.0, 3.0]) == 1.0

    def test_one_value_has_no_spread(self):
        assert np.isnan(population_sd([1.0]))

    def test_there_is_one_value_per_fold_and_folds_of_unequal_size_count_alike(self):
        clips = pd.concat([clips_of([0.0, 1.0]), clips_of([1.0, 1.0, 1.0, 1.0], fold="2")])
        assert repeated_values(clips, mean).tolist() == [0.5, 1.0]

    def test_runs_of_a_fold_are_averaged_before_folds_are_counted(self):
        parts = [
            clips_of([0.0, 0.0], run=0),
            clips_of([1.0, 1.0], run=1),
            clips_of([0.0, 0.0], fold="2", run=0),
            clips_of([0.0, 1.0], fold="2", run=1),
        ]
        assert repeated_values(pd.concat(parts), mean).tolist() == [0.5, 0.25]

    def test_with_one_fold_there_is_one_value_per_run(self):
        clips = pd.concat([clips_of([0.0, 1.0], run=0), clips_of([1.0, 1.0], run=1)])
        assert repeated_values(clips, mean).tolist() == [0.5, 1.0]

    def test_a_median_is_taken_within_each_draw_and_not_over_all_of_them(self):
        parts = [clips_of([0.0, 0.0, 9.0], draw=0), clips_of([6.0, 6.0, 6.0], draw=1)]
        assert repeated_values(pd.concat(parts), median).tolist() == [3.0]

    def test_sources_do_not_weigh(self):
        assert repeated_values(clips_of([0.0, 0.0, 3.0], sources=[*"aab"]), mean).tolist() == [1.0]


def sources_drawn(clips, *, n_bootstrap, seed):
    """How often each source of one fold is drawn, (n_bootstrap, n), and their names."""
    names, first = np.unique(clips["source"], return_index=True)
    alone, seen = clips.iloc[first].assign(clip=names), []

    def spy(part, counts):
        seen.append(counts)
        return counts[:, 0]

    resample(alone, spy, n_bootstrap=n_bootstrap, seed=seed)
    return names, np.vstack(seen)


class TestResampling:
    @pytest.mark.parametrize("metric", [mean, median])
    @pytest.mark.parametrize("n_sources", [None, 4])
    def test_it_equals_a_loop_over_drawn_sources(self, rng, metric, n_sources):
        clips = random_clips(rng, n=9, runs=(0, 1), n_sources=n_sources)
        expected = []
        for b in range(20):
            folds = []
            for _, fold in clips.groupby("fold"):
                names, drawn = sources_drawn(fold, n_bootstrap=20, seed=3)
                again = [
                    name for name, n in zip(names, drawn[b], strict=True) for _ in range(int(n))
                ]
                assert len(again) == len(names)
                runs = [run.set_index("source")["value"] for _, run in fold.groupby("run")]
                values = [np.concatenate([run.loc[[s]] for s in again]) for run in runs]
                reduce = {mean: np.mean, median: np.median}[metric]
                folds.append(np.mean([reduce(each) for each in values]))
            expected.append(np.mean(folds))
        got = resampled(clips, metric, n_bootstrap=20, seed=3)
        np.testing.assert_allclose(got, expected, atol=1e-12)

    def test_clips_of_one_source_are_drawn_together(self, rng):
        once = random_clips(rng, n=12, folds="1")
        again = once.assign(clip=once["clip"] + "b")
        for metric in (mean, median):
            np.testing.assert_allclose(
                resampled(pd.concat([once, again]), metric), resampled(once, metric), atol=1e-12
            )

    def test_alike_clips_of_one_source_tell_no_more_than_one_of_them(self, rng):
        values = rng.random(40)
        sources = [f"s{i:02d}" for i in range(40)]
        spread = np.std(resampled(clips_of(values, sources=sources), n_bootstrap=4000))
        five = clips_of(np.tile(values, 5), sources=sources * 5)
        assert np.std(resampled(five, n_bootstrap=4000)) == pytest.approx(spread, rel=1e-9)
        apart = np.std(resampled(clips_of(np.tile(values, 5)), n_bootstrap=4000))
        assert apart == pytest.approx(spread / np.sqrt(5), rel=0.06)

    def test_the_variance_of_a_share_is_that_of_its_standard_error(self):
        values = resampled(clips_of([0.0] * 200 + [1.0] * 200), n_bootstrap=4000)
        assert np.std(values) == pytest.approx(0.5 / 20, rel=0.05)
        assert np.mean(values) == pytest.approx(0.5, abs=0.002)

    def test_folds_are_resampled_within_and_not_across(self):
        # Fold 1 is all 0 and fold 2 all 1: whatever is drawn, the mean over folds is a half.
        clips = pd.concat([clips_of([0.0] * 5), clips_of([1.0] * 50, fold="2")])
        assert set(resampled(clips)) == {0.5}

    def test_folds_draw_independently_of_each_other(self, rng):
        values = rng.random(30)
        clips = pd.concat([clips_of(values, fold=f) for f in "12345"])
        alone = np.std(resampled(clips[clips["fold"] == "1"], n_bootstrap=2000))
        assert np.std(resampled(clips, n_bootstrap=2000)) == pytest.approx(alone / 5**0.5, rel=0.1)

    def test_what_is_measured_on_the_same_clips_is_resampled_alike(self, rng):
        clips = random_clips(rng, n_sources=9)
        better = clips.assign(value=clips["value"] + 0.25)
        np.testing.assert_allclose(resampled(better), resampled(clips) + 0.25, atol=1e-12)
        seen = []

        def spy(part, counts):
            seen.append(counts)
            return counts[:, 0]

        resample(clips.drop(columns="value"), spy, n_bootstrap=3, seed=0)
        resample(clips.sample(frac=1, random_state=1), spy, n_bootstrap=3, seed=0)
        np.testing.assert_array_equal(np.vstack(seen[:3]), np.vstack(seen[3:]))

    @pytest.mark.parametrize("block", [1, 77, 10**3])
    @pytest.mark.parametrize("n_bootstrap", [1, 40, 53])
    def test_blocks_do_not_show(self, rng, monkeypatch, n_bootstrap, block):
        clips = random_clips(rng, runs=(0, 1))
        whole = resampled(clips, n_bootstrap=300)
        monkeypatch.setattr("l2i.reporting.statistics.BLOCK", block)
        values = resampled(clips, n_bootstrap=n_bootstrap)
        assert values.shape == (n_bootstrap,)
        np.testing.assert_allclose(values, whole[:n_bootstrap], rtol=1e-12)

    def test_a_metric_of_sums_is_resampled_as_any_other(self, rng):
        clips = random_clips(rng, runs=(0, 1), n_sources=8)
        clips["value"] = rng.integers(0, 9, len(clips))

        def terms(rows):
            return np.column_stack([rows["value"], rows["value"] ** 2, np.ones(len(rows))])

        def spread(sums):
            return sums[:, 1] / sums[:, 2] - (sums[:, 0] / sums[:, 2]) ** 2

        of_sums = OfSums(terms, spread)
        by_rows, by_sources = (
            resample(clips, metric, n_bootstrap=50, seed=3)
            for metric in (lambda rows, counts: spread(counts @ terms(rows)), of_sums)
        )
        np.testing.assert_array_equal(by_sources, by_rows)
        np.testing.assert_array_equal(
            repeated_values(clips, of_sums),
            repeated_values(clips, lambda rows, counts: spread(counts @ terms(rows))),
        )

    def test_values_and_resamplings_at_once_are_those_of_both(self, rng):
        clips = random_clips(rng, runs=(0, 1), n_sources=8)
        values, numbers = repeated_and_resampled(clips, mean, n_bootstrap=20, seed=1)
        np.testing.assert_array_equal(values, repeated_values(clips, mean))
        np.testing.assert_array_equal(numbers, resample(clips, mean, n_bootstrap=20, seed=1))

    def test_a_metric_sees_the_clips_of_one_replicate_in_order_and_how_often_each_counts(self, rng):
        clips = random_clips(rng, n=6, runs=(0, 1)).sample(frac=1, random_state=0)
        seen = []

        def spy(part, counts):
            seen.append((part["fold"].iloc[0], part["run"].iloc[0], list(part["clip"]), counts))
            return counts[:, 0]

        resample(clips, spy, n_bootstrap=4, seed=0)
        assert [(fold, run) for fold, run, _, _ in seen] == [(f, r) for f in FOLDS for r in (0, 1)]
        for fold, _, names, counts in seen:
            assert names == [f"{fold}-{i:03d}" for i in range(6)]
            assert counts.shape == (4, 6)
            assert (counts.sum(1) == 6).all()
        # Runs of a fold are resampled alike, folds are not.
        np.testing.assert_array_equal(seen[0][3], seen[1][3])
        assert (seen[0][3] != seen[2][3]).any()

    def test_order_of_rows_changes_nothing(self, rng):
        clips = random_clips(rng, runs=(0, 1), n_sources=8)
        shuffled = clips.sample(frac=1, random_state=1)
        np.testing.assert_array_equal(resampled(shuffled), resampled(clips))
        assert repeated_values(shuffled, median).tolist() == repeated_values(clips, median).tolist()

    def test_identical_runs_are_as_certain_as_one(self, rng):
        once = random_clips(rng, runs=(0,))
        twice = pd.concat([once, once.assign(run=1)])
        np.testing.assert_allclose(resampled(twice), resampled(once), atol=1e-12)

    def test_another_seed_draws_otherwise(self, rng):
        clips = random_clips(rng)
        assert (resampled(clips, seed=1) != resampled(clips)).any()

    def test_a_value_that_is_no_number_shows(self):
        clips = clips_of([0.0, np.nan, 1.0])
        for metric in (mean, median):
            assert np.isnan(repeated_values(clips, metric)).all()
            assert np.isnan(resampled(clips, metric)).all()


class TestPairs:
    def test_each_clip_meets_its_partner_whatever_the_order(self):
        clips = clips_of([1.0, 2.0, 4.0], sources=[*"aab"])
        other = clips_of([0.5, 2.0, 1.0], sources=[*"aab"]).iloc[::-1]
        pairs = paired_difference(clips, other)
        assert list(pairs["clip"]) == list(clips["clip"])
        assert list(pairs["source"]) == [*"aab"]
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

    def test_pairs_vary_less_than_either_side(self, rng):
        clips = random_clips(rng)
        other = clips.assign(value=clips["value"] + rng.normal(0, 0.01, len(clips)))
        pairs = paired_difference(clips, other)
        assert np.std(resampled(pairs)) < 0.1 * np.std(resampled(clips))

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

    def test_pairs_have_the_same_clips_in_the_same_folds_and_runs(self, rng):
        clips = random_clips(rng, n=4, runs=(0, 1))
        require_pairs(clips, clips.sample(frac=1, random_state=0))
        with pytest.raises(InputError, match=r"8 clip\(s\) without partner.*fold, run, source"):
            require_pairs(clips, clips[(clips["fold"] == "1") | (clips["run"] == 0)])


class TestMisuse:
    def test_a_run_that_lacks_a_clip_is_refused(self):
        clips = pd.concat([clips_of([0.0, 1.0], run=0), clips_of([0.0], run=1)])
        with pytest.raises(InputError, match="fold 1: every run and draw must hold the same 2"):
            resampled(clips)

    def test_a_clip_that_stands_twice_is_refused(self):
        clips = clips_of([0.0, 1.0])
        with pytest.raises(InputError, match="each once"):
            repeated_values(pd.concat([clips, clips]), mean)

    def test_a_clip_of_two_sources_is_refused(self):
        runs = [
            clips_of([0.0, 1.0], run=run, sources=["a", source])
            for run, source in ((0, "b"), (1, "c"))
        ]
        with pytest.raises(InputError, match="fold 1: every run and draw must hold the same 2"):
            resampled(pd.concat(runs))

    def test_no_clips_are_refused(self):
        with pytest.raises(InputError, match="nothing to average"):
            repeated_values(clips_of([]), mean)

    @pytest.mark.parametrize("column", ["fold", "clip", "source"])
    def test_a_missing_column_is_named(self, column):
        for function in (resampled, lambda clips: repeated_values(clips, mean)):
            with pytest.raises(InputError, match=f"lacks the column.* {column}"):
                function(clips_of([0.0]).drop(columns=column))

    def test_a_number_of_resamplings_out_of_range_is_named(self):
        with pytest.raises(InputError, match="statistics.n_bootstrap must be at least 1"):
            resampled(clips_of([0.0]), n_bootstrap=0)
