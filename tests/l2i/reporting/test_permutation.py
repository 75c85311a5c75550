"""Permutation tests of pairs, against all exchanges there are, and the correction of many."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l2i.checks import InputError
from l2i.metrics import (
    auprc,
    f1_tallies,
    macro,
    macro_f1,
    mean_macro_f1,
    mean_weighted_f1,
    weighted_f1,
)
from l2i.reporting.permutation import exchange_p, holm, sign_flip_p
from l2i.reporting.statistics import OfSums, generator_of, paired_difference

CLASSES = ("dog", "music")
METRICS = {"auprc": partial(macro, auprc), "f1": partial(macro, weighted_f1)}


def clips_of(values, fold="1", sources=None, **columns):
    names = [f"{fold}-{i:03d}" for i in range(len(values))]
    key = {"fold": fold, "clip": names, "source": names if sources is None else sources}
    return pd.DataFrame(key | {"value": values, **columns})


def mean_of(clips, counts):
    """The mean, as a metric of whole clips."""
    return counts @ clips["value"].to_numpy() / counts.sum(-1)


def metric_of_tags(name):
    """A mean over two classes, of frames as `tags_of` makes them."""

    def metric(clips, counts):
        sides = (clips[[f"{side}_{c}" for c in CLASSES]].to_numpy() for side in ("label", "score"))
        return METRICS[name](*sides, counts)

    return metric


def tags_of(truth, scores, run=0, fold="1"):
    columns = {f"label_{c}": truth[:, i] for i, c in enumerate(CLASSES)}
    columns |= {f"score_{c}": scores[:, i] for i, c in enumerate(CLASSES)}
    return clips_of(np.zeros(len(truth)), fold).assign(run=run, **columns)


def exchanged(clips, other, swap):
    """Rows of `clips`, those of `other` where `swap` says so."""
    return pd.concat([clips[~swap], other[swap]]).sort_values("clip")


def p_of_all(difference, n):
    """Share of all exchanges of n clips that are at least as extreme as none."""
    size = np.abs([difference(np.array(swap, dtype=bool)) for swap in product((0, 1), repeat=n)])
    return np.mean(size >= size[0] - 1e-12)


class TestSignFlips:
    @pytest.mark.parametrize(
        "values", [[1, 2, 3, 4, 5], [3, -1, 2, 5, -2], [1, -1, 1, 0, 0], [100, 100, 0, 100, 100]]
    )
    def test_five_clips_come_close_to_all_their_flips(self, values):
        values = np.array(values, dtype=float)
        exact = p_of_all(lambda swap: np.where(swap, -values, values).mean(), 5)
        got = sign_flip_p(clips_of(values), n_permutations=20_000, seed=0)
        assert got == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-4)

    def test_five_clips_of_one_sign_have_two_of_32_flips_as_extreme(self):
        got = sign_flip_p(clips_of([1.0] * 5), n_permutations=50_000, seed=0)
        assert got == pytest.approx(2 / 32, abs=0.004)

    def test_folds_of_unequal_size_weigh_alike(self):
        # All flips of 1 + 4 clips; the mean over folds gives the lone clip half of the weight.
        one, four = np.array([1.0]), np.array([1.0, 1.0, -1.0, 0.5])

        def difference(swap):
            flipped = [np.where(s, -v, v) for s, v in ((swap[:1], one), (swap[1:], four))]
            return np.mean([each.mean() for each in flipped])

        clips = pd.concat([clips_of(one, "1"), clips_of(four, "2")])
        got = sign_flip_p(clips, n_permutations=20_000, seed=0)
        assert got == pytest.approx(p_of_all(difference, 5), abs=0.015)

    def test_runs_are_averaged_before_they_are_flipped_together(self, rng):
        values = rng.normal(0.3, 1, (3, 20))
        runs = pd.concat([clips_of(each, run=r) for r, each in enumerate(values)])
        how = {"n_permutations": 500, "seed": 0}
        assert sign_flip_p(runs, **how) == sign_flip_p(clips_of(values.mean(0)), **how)

    def test_clips_of_one_source_are_flipped_together(self):
        # Four sources of three clips each: of their 16 flips two are as extreme.
        clips = clips_of([1.0] * 12, sources=[*"abcd"] * 3)
        got = sign_flip_p(clips, n_permutations=50_000, seed=0)
        assert got == pytest.approx(2 / 16, abs=0.006)

    def test_p_is_uniform_where_systems_do_not_differ_on_sources_of_many_clips(self, rng):
        p, of_clips = [], []
        for i in range(400):
            values = np.repeat(rng.normal(size=20), 4) + 0.3 * rng.normal(size=80)
            clips = clips_of(values, sources=[f"s{k:02d}" for k in np.repeat(range(20), 4)])
            how = {"n_permutations": 199, "seed": i}
            p.append(sign_flip_p(clips, **how))
            of_clips.append(sign_flip_p(clips.assign(source=clips["clip"]), **how))
        shares = np.histogram(p, bins=4, range=(0, 1))[0] / 400
        assert shares == pytest.approx([0.25] * 4, abs=0.09)  # four standard errors
        assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.044)
        assert np.mean(np.array(of_clips) <= 0.05) > 0.2  # as if the clips were independent

    def test_no_difference_is_no_evidence(self):
        assert sign_flip_p(clips_of([0.0] * 9), n_permutations=50, seed=0) == 1

    def test_flips_that_tie_count_as_extreme(self):
        # 0.1 + 0.2 is not 0.3: sums in another order must still tie.
        clips = clips_of([0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.1])
        exact = p_of_all(lambda swap: np.where(swap, -1, 1) @ clips["value"], 7)
        got = sign_flip_p(clips, n_permutations=50_000, seed=1)
        assert exact == 2 / 128 and got == pytest.approx(exact, abs=0.003)

    def test_the_smallest_p_is_one_of_all_permutations(self):
        assert sign_flip_p(clips_of([1.0] * 200), n_permutations=99, seed=0) == 1 / 100

    def test_p_is_uniform_where_systems_do_not_differ(self, rng):
        p = [
            sign_flip_p(
                pd.concat([clips_of(rng.normal(size=15), f) for f in "12"]),
                n_permutations=199,
                seed=i,
            )
            for i in range(400)
        ]
        shares = np.histogram(p, bins=4, range=(0, 1))[0] / 400
        assert shares == pytest.approx([0.25] * 4, abs=0.09)  # four standard errors
        assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.044)

    def test_a_value_that_is_no_number_gives_no_p(self):
        assert np.isnan(sign_flip_p(clips_of([1.0, np.nan]), n_permutations=9, seed=0))


class TestExchanges:
    def pair(self, rng, n=12, runs=(0,), name="auprc", better=0.0):
        truth = (rng.random((n, 2)) < 0.5).astype(float)
        truth[0], truth[1] = 1, 0
        sides = []
        for strength in (0.3 + better, 0.3):
            scores = [strength * truth + (1 - strength) * rng.random((n, 2)) for _ in runs]
            scores = [s > 0.5 for s in scores] if name == "f1" else scores
            sides.append(
                pd.concat([tags_of(truth, s * 1.0, r) for r, s in zip(runs, scores, strict=True)])
            )
        return sides

    def exact(self, clips, other, name, n):
        """All exchanges, each made in the rows themselves, without any counts."""
        rows = [
            (a.reset_index(drop=True), b.reset_index(drop=True))
            for (_, a), (_, b) in zip(clips.groupby("run"), other.groupby("run"), strict=True)
        ]
        ones = np.ones((1, n))

        def difference(swap):
            metric, differences = metric_of_tags(name), []
            for a, b in rows:
                ours, theirs = exchanged(a, b, swap), exchanged(b, a, swap)
                differences.append(metric(ours, ones)[0] - metric(theirs, ones)[0])
            return np.mean(differences)

        return p_of_all(difference, n)

    @pytest.mark.parametrize("name", METRICS)
    @pytest.mark.parametrize("runs", [(0,), (0, 1)])
    def test_five_clips_come_close_to_all_their_exchanges(self, rng, name, runs):
        clips, other = self.pair(rng, 5, runs, name, better=0.4)
        exact = self.exact(clips, other, name, 5)
        got = exchange_p(clips, other, metric_of_tags(name), n_permutations=8000, seed=0)
        assert 0 < exact < 1
        assert got == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 8000) + 2e-4)

    @given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(METRICS)))
    @settings(max_examples=25, deadline=None)
    def test_counts_exchange_as_rows_do(self, seed, name):
        """p equals that of exchanging the rows themselves by the same draws, ties included."""
        clips, other = self.pair(np.random.default_rng(seed), 9, name=name, better=0.2)
        for frame in (clips, other):  # ties, scores of exactly 1, and a label nobody looked at
            frame["score_dog"] = frame["score_dog"].round(1)
            frame.loc[3, "label_dog"] = np.nan
        swaps = generator_of(sorted(clips["clip"]), 3).integers(2, size=(20, 9)).astype(bool)
        ones, metric, pairs = (
            np.ones((1, 9)),
            metric_of_tags(name),
            [(clips, other), (other, clips)],
        )
        size = [
            abs(np.subtract(*(metric(exchanged(*pair, s), ones)[0] for pair in pairs)))
            for s in [np.zeros(9, dtype=bool), *swaps]
        ]
        expected = np.mean(np.array(size) >= size[0] - 1e-9)
        got = exchange_p(clips, other, metric, n_permutations=20, seed=3)
        assert (np.isnan(got) and np.isnan(size).any()) or got == expected

    def test_of_a_mean_the_exchange_is_the_flip(self, rng):
        frames = [
            pd.concat(
                [
                    clips_of(rng.normal(m, 1, n), f, [f"s{i // 2}" for i in range(n)], run=r)
                    for f, n in (("1", 16), ("2", 9))
                    for r in (0, 1)
                ]
            )
            for m in (0.6, 0)
        ]
        how = {"n_permutations": 300, "seed": 5}
        flipped = sign_flip_p(paired_difference(*frames), **how)
        assert exchange_p(*frames, mean_of, **how) == flipped
        assert 1 / 301 < flipped < 1

    def test_clips_of_one_source_are_exchanged_together(self, rng):
        clips, other = self.pair(rng, 12, better=0.3)
        source = [f"s{i % 4}" for i in range(12)]
        swaps = [np.repeat([swap], 3, axis=0).ravel() for swap in product((0, 1), repeat=4)]
        metric, ones = metric_of_tags("auprc"), np.ones((1, 12))
        size = [
            abs(np.subtract(*(metric(exchanged(a, b, s == 1), ones)[0] for a, b in pairs)))
            for s in swaps
            for pairs in [((clips, other), (other, clips))]
        ]
        exact = np.mean(np.array(size) >= size[0] - 1e-12)
        sides = [side.assign(source=source) for side in (clips, other)]
        got = exchange_p(*sides, metric, n_permutations=8000, seed=0)
        assert 2 / 16 <= exact < 1
        assert got == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 8000) + 2e-4)

    def test_sides_and_order_of_rows_change_nothing(self, rng):
        clips, other = self.pair(rng, runs=(0, 1), better=0.3)
        how = {"metric": metric_of_tags("auprc"), "n_permutations": 200, "seed": 0}
        p = exchange_p(clips, other, **how)
        assert exchange_p(other, clips, **how) == p
        shuffled = clips.sample(frac=1, random_state=0), other.sample(frac=1, random_state=1)
        assert exchange_p(*shuffled, **how) == p
        assert exchange_p(clips, other, **how | {"seed": 1}) != p

    def test_p_is_uniform_where_systems_do_not_differ(self, rng):
        metric = metric_of_tags("auprc")
        pairs = (self.pair(rng, 20) for _ in range(150))
        p = np.array([exchange_p(*pair, metric, n_permutations=99, seed=0) for pair in pairs])
        assert np.histogram(p, bins=3, range=(0, 1))[0] / 150 == pytest.approx(
            [1 / 3] * 3, abs=0.15
        )
        assert np.mean(p <= 0.1) == pytest.approx(0.1, abs=0.09)

    def test_a_system_that_is_better_is_found(self, rng):
        clips, other = self.pair(rng, 80, better=0.5)
        assert exchange_p(clips, other, metric_of_tags("auprc"), n_permutations=199, seed=0) < 0.02

    def test_a_score_that_is_no_number_gives_no_p(self, rng):
        clips, other = self.pair(rng)
        clips.loc[2, "score_dog"] = np.nan
        metric = metric_of_tags("auprc")
        assert np.isnan(exchange_p(clips, other, metric, n_permutations=9, seed=0))

    def test_a_clip_without_partner_is_named(self, rng):
        clips, other = self.pair(rng)
        with pytest.raises(InputError, match=r"1 clip\(s\) without partner.*1-011"):
            exchange_p(clips, other.iloc[:-1], mean_of, n_permutations=9, seed=0)

    @pytest.mark.parametrize("n_permutations", [0, -1])
    def test_a_number_of_permutations_out_of_range_is_named(self, rng, n_permutations):
        with pytest.raises(InputError, match="statistics.n_permutations must be at least 1"):
            sign_flip_p(clips_of([1.0]), n_permutations=n_permutations, seed=0)


class TestHolm:
    def test_by_hand(self):
        # Sorted: 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1, which must not fall below 0.06.
        assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])

    def test_one_comparison_needs_no_correction(self):
        assert holm([0.2]).tolist() == [0.2]

    def test_none_exceeds_one_and_ties_stay_ties(self):
        assert holm([0.6, 0.6, 0.9]).tolist() == [1, 1, 1]
        assert holm([0.01, 0.01]) == pytest.approx([0.02, 0.02])

    def test_what_is_no_number_is_not_counted(self):
        got = holm([np.nan, 0.03, np.nan, 0.01])
        assert np.isnan(got[[0, 2]]).all()
        assert got[[1, 3]] == pytest.approx([0.03, 0.02])
        assert len(holm([])) == 0

    @given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=12))
    def test_claims_are_those_of_stepping_down(self, p):
        """Rejected: the smallest values, as long as each is at most level / (those left)."""
        got, level, left = holm(p), 0.05, len(p)
        claims = set()
        for i in sorted(range(len(p)), key=lambda i: p[i]):
            if p[i] * left > level:
                break
            claims.add(i)
            left -= 1
        assert claims == set(np.flatnonzero(got <= level))


class TestSums:
    """Metrics of sums add whole sources up; the twin has rows of both systems and counts them."""

    @pytest.mark.parametrize(
        "of_class, mean", [(weighted_f1, mean_weighted_f1), (macro_f1, mean_macro_f1)]
    )
    @pytest.mark.parametrize("n_sources", [None, 6])
    def test_p_is_that_of_counted_rows(self, rng, of_class, mean, n_sources):
        truth = rng.integers(0, 2, (30, 2)).astype(float)
        truth[rng.random(truth.shape) < 0.3] = np.nan
        sources = n_sources and [f"s{i}" for i in rng.integers(n_sources, size=30)]
        sides = []
        for share in (0.8, 0.5):  # of right decisions
            right = [rng.random(truth.shape) < share for _ in range(2)]
            runs = [tags_of(truth, (truth == 1) == r, run=run) for run, r in enumerate(right)]
            if n_sources:
                runs = [run.assign(source=sources) for run in runs]
            sides.append(pd.concat(runs))

        def both(clips):
            return (
                clips[[f"{side}_{c}" for c in CLASSES]].to_numpy(dtype=float)
                for side in ("label", "score")
            )

        counted = partial(exchange_p, *sides, n_permutations=200, seed=0)
        expected = counted(lambda clips, counts: macro(of_class, *both(clips), counts))
        assert 0 < expected < 1
        assert counted(OfSums(lambda clips: f1_tallies(*both(clips)), mean)) == expected

    def test_a_decision_that_is_no_number_leaves_no_p(self, rng):
        truth = rng.integers(0, 2, (8, 2)).astype(float)
        broken = truth.copy()
        broken[3, 1] = np.nan
        of_sums = OfSums(
            lambda clips: f1_tallies(
                clips[[f"label_{c}" for c in CLASSES]].to_numpy(),
                clips[[f"score_{c}" for c in CLASSES]].to_numpy(),
            ),
            mean_weighted_f1,
        )
        sides = tags_of(truth, truth), tags_of(truth, broken)
        assert np.isnan(exchange_p(*sides, of_sums, n_permutations=9, seed=0))
        assert exchange_p(sides[0], sides[0], of_sums, n_permutations=9, seed=0) == 1
