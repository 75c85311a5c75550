"""l2i.metrics: golden figures, known answers, twins, and labels that nobody observed."""

from __future__ import annotations

import json
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, classification_report, f1_score
from torch.testing import assert_close

from helpers.project import PROJECT
from l2i.checks import InputError
from l2i.metrics import (
    GRID_7,
    GRID_11,
    auprc,
    auprc_on_grid,
    average_precision,
    bounded_si_sdr,
    f1_tallies,
    macro,
    macro_f1,
    max_f1,
    mean_macro_f1,
    mean_weighted_f1,
    micro,
    micro_auprc,
    rank_of,
    si_sdr,
    weighted_f1,
)

AREAS = {
    "auprc": auprc,
    "grid": partial(auprc_on_grid, grid=GRID_11),
    "ap": average_precision,
    "max_f1": partial(max_f1, grid=GRID_11),
}
F1 = {"weighted": weighted_f1, "macro": macro_f1}
EVERY = AREAS | F1
NAN = np.nan


def some_tags(rng, n=40, n_classes=3, *, ties=True, unobserved=0.0):
    """Truth with positives and negatives of each class, and scores that know something of it."""
    truth = (rng.random((n, n_classes)) < 0.4).astype(float)
    truth[0], truth[1] = 1, 0
    scores = np.clip(0.3 * truth + 0.7 * rng.random((n, n_classes)), 0, 1)
    truth[2:][rng.random((n - 2, n_classes)) < unobserved] = NAN
    return truth, scores.round(1) if ties else scores


def some_counts(rng, n, n_draws=5):
    draws = rng.integers(n, size=(n_draws, n))
    return draws, np.stack([np.bincount(draw, minlength=n) for draw in draws])


def untied(scores, draw):
    """Scores of drawn clips, those that were drawn before a little lower, so that none tie."""
    again = pd.Series(draw).duplicated().to_numpy()[:, None]
    return np.where(again, np.nextafter(scores[draw], -np.inf), scores[draw])


def area_by_loops(truth, scores):
    """The evaluator's curve, threshold by threshold."""
    points = []
    for threshold in sorted({s for s in scores if s >= 0.01} | {1.0}, reverse=True):
        said = scores >= threshold
        tp, fp, fn = (said & truth).sum(), (said & ~truth).sum(), (~said & truth).sum()
        points.append((tp / max(tp + fn, 0.5), tp / max(tp + fp, 0.5)))
    area, (before_r, before_p) = 0.0, (0.0, 1.0)
    for r, p in [*points, (1.0, 0.0)]:
        area += (r - before_r) * (p + before_p) / 2
        before_r, before_p = r, p
    return area


@pytest.fixture(scope="module")
def golden():
    """Truth and scores (60, 8), and what the official evaluator and others make of them."""
    folder = PROJECT / "tests/golden/sonyc_auprc"
    scores = pd.read_csv(folder / "predictions_coarse.csv", index_col="audio_filename")
    annotations = pd.read_csv(folder / "annotations.csv", index_col="audio_filename")
    truth = annotations.loc[scores.index, [f"{name}_presence" for name in scores.columns]]
    expected = json.loads((folder / "expected_official.json").read_text())
    return truth.to_numpy(float), scores.to_numpy(), expected


class TestGolden:
    def test_every_class_is_that_of_the_official_evaluator(self, golden):
        truth, scores, expected = golden
        ours = [auprc(*columns) for columns in zip(truth.T, scores.T, strict=True)]
        assert ours == pytest.approx(list(expected["class_auprc"].values()), abs=1e-9)

    def test_macro_is_that_of_the_official_evaluator(self, golden):
        truth, scores, expected = golden
        assert macro(auprc, truth, scores) == pytest.approx(expected["macro_auprc"], abs=1e-9)

    def test_micro_keeps_rising_thresholds_within_equal_recall(self, golden):
        truth, scores, expected = golden
        ours = micro_auprc(truth, scores)
        assert ours == pytest.approx(expected["reimpl_micro_stable_sort"], abs=1e-9)
        assert ours == pytest.approx(expected["micro_auprc"], abs=1e-5)

    def test_falling_thresholds_would_be_higher(self, golden):
        truth, scores, expected = golden
        other = expected["reimpl_micro_descending_threshold_order"]
        assert micro(auprc, truth, scores) == pytest.approx(other, abs=1e-9)

    @pytest.mark.parametrize(("name", "grid"), [("grid7", GRID_7), ("grid11", GRID_11)])
    def test_grids_are_those_of_the_authors(self, golden, name, grid):
        truth, scores, expected = golden
        ours = [mean(auprc_on_grid, truth, scores, grid=grid) for mean in (macro, micro)]
        assert ours == pytest.approx(expected[f"l2i_{name}_macro_micro"], abs=1e-8)

    def test_average_precision_is_that_of_scikit_learn(self, golden):
        truth, scores, expected = golden
        ours = [mean(average_precision, truth, scores) for mean in (macro, micro)]
        theirs = [expected[f"sklearn_average_precision_{mean}"] for mean in ("macro", "micro")]
        assert ours == pytest.approx(theirs, abs=1e-9)


class TestKnownAnswers:
    def test_perfect_scores_reach_the_ceiling_of_the_official_curve(self):
        truth = np.array([1, 1, 1, 1, 0, 0])
        assert auprc(truth, [0.9, 0.8, 0.7, 0.6, 0.2, 0.1]) == pytest.approx(1 - 1 / 8)
        assert auprc(truth, np.where(truth, 0.9, 0.1)) == 0.5  # from (0, 0) straight to (1, 1)
        assert auprc(truth, truth) == 1  # scores of 1 reach the threshold 1

    @pytest.mark.parametrize("name", ["grid", "ap", "max_f1", "weighted", "macro"])
    def test_perfect_estimates_score_one_elsewhere(self, name):
        truth = np.array([1, 1, 0, 0, 0])
        assert EVERY[name](truth, truth) == pytest.approx(1)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("auprc", 0.25 / 2),  # from (0, 0) straight to (1, 1/4)
            ("grid", (1 + 0.25) / 2),  # from (0, 1), since precision of nothing is 1
            ("ap", 0.25),
            ("max_f1", 2 * 0.25 / 1.25),
        ],
    )
    def test_constant_scores(self, name, expected):
        truth = np.array([1, 0, 0, 0] * 3)
        assert EVERY[name](truth, np.full(12, 0.3)) == pytest.approx(expected)

    def test_constant_decisions(self):
        truth = np.array([1, 0, 0, 0])
        # All negative: F1 of the negatives is 6/7, of the positives 0.
        assert weighted_f1(truth, np.zeros(4)) == pytest.approx(0.75 * 6 / 7)
        assert macro_f1(truth, np.zeros(4)) == pytest.approx(3 / 7)
        # All positive: 2/5 and 0.
        assert weighted_f1(truth, np.ones(4)) == pytest.approx(0.25 * 0.4)
        assert macro_f1(truth, np.ones(4)) == pytest.approx(0.2)

    def test_scores_below_a_hundredth_give_no_point(self):
        truth = np.array([1, 0, 1, 0])
        # One positive found before anything else; the other is never reached.
        assert auprc(truth, [0.9, 0.2, 0.009, 0.001]) == area_by_loops(
            truth == 1, np.array([0.9, 0.2, 0.0, 0.0])
        )
        assert auprc(truth, [0.9, 0.2, 0.01, 0.001]) > auprc(truth, [0.9, 0.2, 0.009, 0.001])

    def test_a_score_on_a_threshold_of_the_grid_is_not_above_it(self):
        truth = np.array([1, 0])
        on, above = ([0.5, 0.0], [0.5 + 1e-9, 0.0])
        assert max_f1(truth, on, grid=[0.5]) == 0
        assert max_f1(truth, above, grid=[0.5]) == 1

    def test_the_best_f1_is_that_of_one_threshold_for_all_classes(self):
        truth = np.array([[1, 0], [0, 1], [0, 0]])
        scores = np.array([[0.85, 0.3], [0.6, 0.4], [0.1, 0.2]])
        # Above 0.8: 1 of 2 found. Above 0.3: both, and one too many. F1: 2/3 and 4/5.
        assert micro(max_f1, truth, scores, grid=[0.8, 0.3]) == pytest.approx(0.8)
        assert macro(max_f1, truth, scores, grid=[0.8, 0.3]) == 1

    def test_signs_are_weighted_by_their_clips(self):
        truth, decided = np.array([1, 1, 1, 0]), np.array([1, 1, 0, 0])
        f1_p, f1_n = 2 * 2 / (2 * 2 + 1), 2 * 1 / (2 * 1 + 1)
        assert weighted_f1(truth, decided) == pytest.approx((3 * f1_p + f1_n) / 4)
        assert macro_f1(truth, decided) == pytest.approx((f1_p + f1_n) / 2)


class TestTwins:
    @settings(deadline=None, max_examples=40)
    @given(st.integers(0, 2**32 - 1), st.booleans())
    def test_the_official_curve_is_that_of_loops(self, seed, ties):
        truth, scores = some_tags(np.random.default_rng(seed), n_classes=1, ties=ties)
        truth, scores = truth[:, 0], scores[:, 0]
        assert auprc(truth, scores) == pytest.approx(area_by_loops(truth == 1, scores), abs=1e-12)

    @settings(deadline=None, max_examples=15)
    @given(st.integers(0, 2**32 - 1), st.booleans())
    def test_average_precision_and_f1_are_those_of_scikit_learn(self, seed, ties):
        truth, scores = some_tags(np.random.default_rng(seed), ties=ties)
        assert macro(average_precision, truth, scores) == pytest.approx(
            average_precision_score(truth, scores, average="macro")
        )
        for y, p in zip(truth.T, scores.T >= 0.5, strict=True):
            report = classification_report(y, p.astype(float), output_dict=True, zero_division=0)
            assert weighted_f1(y, p) == pytest.approx(report["weighted avg"]["f1-score"])
            assert macro_f1(y, p) == pytest.approx(report["macro avg"]["f1-score"])
        best = max(f1_score(truth, scores > t, average="micro", zero_division=0) for t in GRID_11)
        assert micro(max_f1, truth, scores, grid=GRID_11) == pytest.approx(best)

    @pytest.mark.parametrize("name", EVERY)
    def test_counts_do_what_drawing_clips_would(self, rng, name):
        truth, scores = some_tags(rng, unobserved=0.2)
        scores = (scores >= 0.5).astype(float) if name in F1 else scores
        draws, counts = some_counts(rng, len(truth))
        for combine in (macro, micro):
            drawn = [
                combine(EVERY[name], truth[d], untied(scores, d) if name == "auprc" else scores[d])
                for d in draws
            ]
            got = combine(EVERY[name], truth, scores, counts)
            np.testing.assert_allclose(got, drawn, atol=1e-12)

    def test_counts_do_so_for_pairs_of_clip_and_class_too(self, rng):
        truth, scores = some_tags(rng, unobserved=0.2)
        draws, counts = some_counts(rng, len(truth))
        drawn = [micro_auprc(truth[d], untied(scores, d)) for d in draws]
        np.testing.assert_allclose(micro_auprc(truth, scores, counts), drawn, atol=1e-12)

    def test_a_positive_that_counts_twice_is_no_tie_at_the_start_of_the_curve(self):
        truth, scores = np.array([1, 1, 0.0]), np.array([0.9, 0.8, 0.1])
        # Two steps of a half each, the first from (0, 0); as a tie there would be one from there.
        assert auprc(truth, scores, np.array([[1, 1, 1], [2, 0, 1]])).tolist() == [0.75, 0.75]
        assert auprc(np.array([1, 1, 0.0]), np.array([0.9, 0.9, 0.1])) == 0.5


class TestUnobserved:
    @pytest.mark.parametrize("name", EVERY)
    def test_labels_that_nobody_observed_are_as_if_not_there(self, rng, name):
        truth, scores = some_tags(rng, n_classes=1)
        truth, scores = truth[:, 0], (scores[:, 0] >= 0.5 if name in F1 else scores[:, 0])
        more = np.append(truth, [NAN, NAN]), np.append(scores, [1.0, 0.0])
        assert EVERY[name](*more) == EVERY[name](truth, scores)
        hidden = np.append(truth, NAN), np.append(scores, NAN)  # not even a number there
        assert EVERY[name](*hidden) == EVERY[name](truth, scores)

    @pytest.mark.parametrize("name", EVERY)
    def test_without_any_observed_label_there_is_no_number(self, name):
        nothing = np.full((4, 2), NAN)
        counts = np.ones((3, 4))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.isnan(macro(EVERY[name], nothing, np.zeros((4, 2))))
            assert np.isnan(micro(EVERY[name], nothing, np.zeros((4, 2))))
            assert np.isnan(macro(EVERY[name], nothing, np.zeros((4, 2)), counts)).tolist() == (
                [True] * 3
            )
            assert np.isnan(micro_auprc(nothing, np.zeros((4, 2))))

    @pytest.mark.parametrize("name", AREAS)
    def test_a_class_without_positives_is_left_out_of_the_mean(self, rng, name):
        truth, scores = some_tags(rng)
        without = truth.copy()
        without[:, 1] = 0
        assert np.isnan(AREAS[name](without[:, 1], scores[:, 1]))
        kept = macro(AREAS[name], truth[:, [0, 2]], scores[:, [0, 2]])
        assert macro(AREAS[name], without, scores) == pytest.approx(kept)

    def test_a_class_without_positives_has_the_f1_of_its_negatives(self):
        nothing, one_wrong = np.zeros(4), np.array([1, 0, 0, 0])
        assert (weighted_f1(nothing, nothing), macro_f1(nothing, nothing)) == (1, 1)
        assert weighted_f1(nothing, one_wrong) == pytest.approx(6 / 7)
        assert macro_f1(nothing, one_wrong) == pytest.approx(3 / 7)

    def test_a_resampling_without_positives_is_undefined_and_no_other(self):
        truth, scores = np.array([1, 0, 0]), np.array([0.9, 0.2, 0.1])
        counts = np.array([[0, 1, 2], [1, 1, 1]])
        for metric in AREAS.values():
            assert np.isnan(metric(truth, scores, counts)).tolist() == [True, False]

    @pytest.mark.parametrize("name", EVERY)
    def test_a_score_that_is_no_number_shows_in_every_mean(self, rng, name):
        truth, scores = some_tags(rng)
        scores = np.round(scores)
        scores[5, 1] = NAN
        assert np.isnan(macro(EVERY[name], truth, scores))
        assert np.isnan(micro(EVERY[name], truth, scores))
        counts = np.ones((2, len(truth)))
        counts[:, 5] = 0
        assert np.isnan(macro(EVERY[name], truth, scores, counts)).all()


class TestInvariants:
    @pytest.mark.parametrize("name", EVERY)
    def test_order_of_clips_changes_nothing(self, rng, name):
        truth, scores = some_tags(rng, unobserved=0.1)
        scores = np.round(scores) if name in F1 else scores
        order = rng.permutation(len(truth))
        for combine in (macro, micro):
            assert combine(EVERY[name], truth[order], scores[order]) == pytest.approx(
                combine(EVERY[name], truth, scores), abs=1e-12
            )
        assert micro_auprc(truth[order], scores[order]) == pytest.approx(
            micro_auprc(truth, scores), abs=1e-12
        )

    @pytest.mark.parametrize("name", EVERY)
    def test_numbers_lie_between_0_and_1(self, rng, name):
        for _ in range(20):
            truth, scores = some_tags(rng, n=8)
            assert 0 <= macro(EVERY[name], truth, np.round(scores)) <= 1

    def test_inputs_stay_as_they_were(self, rng):
        truth, scores = some_tags(rng, unobserved=0.1)
        before = truth.copy(), scores.copy()
        macro(auprc, truth, scores, np.ones((2, len(truth))))
        np.testing.assert_array_equal(truth, before[0])
        np.testing.assert_array_equal(scores, before[1])


class TestMisuse:
    def test_truth_other_than_1_0_and_unobserved_is_refused(self):
        with pytest.raises(InputError, match="truth must be 1, 0, or NaN"):
            auprc([0.5, 1.0], [0.1, 0.2])

    def test_probabilities_are_no_decisions(self):
        with pytest.raises(InputError, match="decisions must be 1 or 0"):
            weighted_f1([0, 1], [0.1, 0.9])

    def test_shapes_are_named(self):
        with pytest.raises(InputError, match=r"scores must have shape \(2\)"):
            auprc([0, 1], [0.1, 0.2, 0.3])
        with pytest.raises(InputError, match=r"counts must have shape \(\*, 2\)"):
            auprc([0, 1], [0.1, 0.2], np.ones((4, 3)))
        with pytest.raises(InputError, match=r"truth must have shape \(\*, \*\)"):
            macro(auprc, [0, 1], [0.1, 0.2])
        with pytest.raises(InputError, match=r"truth must have shape \(\*\)"):
            auprc(np.zeros((2, 2)), np.zeros((2, 2)))


class TestRank:
    def test_it_counts_the_better_classes(self):
        scores = torch.tensor([[0.1, 0.7, 0.2]] * 3)
        assert rank_of(scores, torch.tensor([0, 1, 2])).tolist() == [3, 1, 2]

    def test_a_perfect_copy_always_ranks_first_and_a_constant_one_by_chance(self, generator):
        scores = torch.randn(300, 10, generator=generator)
        assert (rank_of(scores, scores.argmax(1)) == 1).all()
        constant = rank_of(torch.zeros(300, 10), scores.argmax(1))
        assert (constant == 1).float().mean().item() == pytest.approx(0.1, abs=0.06)

    def test_ties_go_to_the_lower_class(self):
        assert rank_of(torch.zeros(3, 3), torch.tensor([0, 1, 2])).tolist() == [1, 2, 3]

    def test_it_agrees_with_topk(self, generator):
        scores = torch.randn(50, 8, generator=generator)
        reference = torch.randint(8, (50,), generator=generator)
        for k in (1, 3, 5):
            by_topk = (scores.topk(k).indices == reference[:, None]).any(1)
            assert_close(rank_of(scores, reference) <= k, by_topk)

    def test_scores_that_are_no_numbers_rank_last(self):
        scores = torch.full((1, 3), float("nan"))
        assert rank_of(scores, torch.tensor([1])).item() > 3

    def test_references_of_another_length_are_refused(self):
        with pytest.raises(InputError, match=r"reference must have shape \(2\), got \(3,\)"):
            rank_of(torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64))


def si_sdr_by_angle(estimate, reference):
    """A twin of `si_sdr`: of an angle between two sounds, its cotangent."""
    cosine = estimate @ reference / (np.linalg.norm(estimate) * np.linalg.norm(reference))
    return 20 * np.log10(abs(cosine)) - 10 * np.log10(1 - cosine**2)


class TestSiSdr:
    @pytest.mark.parametrize("gain", [1.0, 0.01, -3.0])
    @pytest.mark.parametrize("ratio_db", [-20.0, 0.0, 35.0])
    def test_orthogonal_noise_of_known_power_gives_its_ratio_whatever_the_level(
        self, rng, gain, ratio_db
    ):
        source, noise = np.linalg.qr(rng.standard_normal((500, 2)))[0].T
        mixture = source + noise * 10 ** (-ratio_db / 20)
        assert si_sdr(gain * mixture, source) == pytest.approx(ratio_db, abs=1e-9)
        assert si_sdr(mixture, gain * source) == pytest.approx(ratio_db, abs=1e-9)

    @given(seed=st.integers(0, 10_000), n=st.integers(3, 200), offset=st.floats(-3, 3))
    def test_it_is_the_cotangent_of_the_angle(self, seed, n, offset):
        draws = np.random.default_rng(seed)
        reference = draws.standard_normal(n) + offset
        estimate = draws.standard_normal(n) + draws.uniform(-5, 5) * reference
        twin = si_sdr_by_angle(estimate, reference)
        assert si_sdr(estimate, reference) == pytest.approx(twin, abs=1e-5)

    @given(seed=st.integers(0, 10_000))
    def test_it_is_what_least_squares_leave(self, seed):
        draws = np.random.default_rng(seed)
        reference, estimate = draws.standard_normal((2, 40))
        (scale,), (left,), *_ = np.linalg.lstsq(reference[:, None], estimate, rcond=None)
        expected = 10 * np.log10(np.sum((scale * reference) ** 2) / left)
        assert si_sdr(estimate, reference) == pytest.approx(expected, abs=1e-6)

    def test_what_has_no_ratio_has_its_limit_or_no_number(self):
        reference, orthogonal, silence = np.array([[3.0, 0, 0], [0, 1.0, 1.0], [0, 0, 0]])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert si_sdr(-2 * reference, reference) == np.inf
            assert si_sdr(orthogonal, reference) == -np.inf
            assert np.isnan(si_sdr(silence, reference)) and np.isnan(si_sdr(reference, silence))
            assert bounded_si_sdr(reference, reference) == 60
            assert bounded_si_sdr(orthogonal, reference) == -30
            assert bounded_si_sdr(silence, reference) == -30

    def test_a_ratio_within_bounds_is_left_as_it_is(self, rng):
        reference = rng.standard_normal((5, 30))
        estimate = reference + rng.standard_normal((5, 30))
        assert_close(bounded_si_sdr(estimate, reference), si_sdr(estimate, reference))

    def test_several_sounds_are_held_against_one(self, rng):
        estimates, reference = rng.standard_normal((2, 4, 30)), rng.standard_normal(30)
        each = [[si_sdr(x, reference) for x in row] for row in estimates]
        assert si_sdr(estimates, reference) == pytest.approx(np.array(each))


class TestTallies:
    @settings(deadline=None, max_examples=15)
    @given(st.integers(0, 2**32 - 1))
    def test_sums_give_the_means_that_classes_have_one_by_one(self, seed):
        rng = np.random.default_rng(seed)
        truth, scores = some_tags(rng, unobserved=0.3)
        decided, counts = (scores >= 0.5).astype(float), rng.integers(0, 3, (5, len(truth)))
        sums = counts @ f1_tallies(truth, decided)
        for mean, of_class in ((mean_weighted_f1, weighted_f1), (mean_macro_f1, macro_f1)):
            np.testing.assert_array_equal(mean(sums), macro(of_class, truth, decided, counts))

    def test_what_is_no_label_and_no_decision_is_refused(self):
        ones = np.ones((2, 1))
        with pytest.raises(InputError, match="decisions must be 1 or 0"):
            f1_tallies(ones, ones / 2)
        with pytest.raises(InputError, match="truth must be 1, 0"):
            f1_tallies(ones * 2, ones)
        assert np.isnan(f1_tallies(ones, ones * NAN)).all()
        assert not f1_tallies(ones * NAN, ones * NAN).any()


def plain_average_precision(truth, scores, counts):
    """By a loop over distinct scores, and over clips as often as they count."""
    drawn = [
        (score, label)
        for score, label, count in zip(scores, truth, counts, strict=True)
        for _ in range(int(count))
        if not np.isnan(label)
    ]
    n_positive, total, recall = sum(label for _, label in drawn), 0.0, 0.0
    for threshold in sorted({score for score, _ in drawn}, reverse=True):
        said = [label for score, label in drawn if score >= threshold]
        total += (sum(said) / n_positive - recall) * sum(said) / len(said)
        recall = sum(said) / n_positive
    return total


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_average_precision_is_that_of_a_plain_loop(seed, ties):
    rng = np.random.default_rng(seed)
    truth, scores = some_tags(rng, n=15, n_classes=1, ties=ties, unobserved=0.2)
    counts = rng.integers(0, 3, (4, 15))
    truth, scores = truth[:, 0], scores[:, 0]
    with np.errstate(all="ignore"):
        has_any = counts @ (truth == 1) > 0
    expected = [
        plain_average_precision(truth, scores, row) if some else NAN
        for row, some in zip(counts, has_any, strict=True)
    ]
    np.testing.assert_allclose(average_precision(truth, scores, counts), expected, rtol=1e-12)
