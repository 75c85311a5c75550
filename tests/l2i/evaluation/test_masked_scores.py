"""l2i.evaluation.masked_scores: a classifier that hears one band alone, and each number by hand."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.known_networks import CLASSES, FRONT_END, HIGH, LOW, known_pair, tones
from l2i.evaluation.explainers import by_components
from l2i.evaluation.masked_explanations import MaskedExplanation, of_cells
from l2i.evaluation.masked_scores import MASKS, Scorer, mask_rows
from l2i.evaluation.removal_operators import OPERATORS
from l2i.evaluation.removals import Removals, explain_clip, faithfulness_rows

N_SAMPLES = 512 * 130 + 100  # ends between two hops


def event(low=0.5, high=0.5):
    """Both tones in the first third, and faint noise: no tone is background."""
    x = 1e-4 * torch.randn(N_SAMPLES, generator=torch.Generator().manual_seed(2))
    x[: N_SAMPLES // 3] += tones(N_SAMPLES // 3, low, high)
    return x


def scorer_of(pair, operators=OPERATORS):
    return Scorer(pair.predict, pair.classifier, FRONT_END, operators, 0)


def heard(scorer, x):
    return scorer.hear("a-clip", FRONT_END.log_mel(FRONT_END.stft(x)), x)


def explanation_of(clip, bins):
    """All cells of some bins, which also come first."""
    mask = torch.zeros(clip.S.shape, dtype=torch.float64)
    mask[bins] = 1
    growing = torch.stack([torch.zeros_like(mask), mask, torch.ones_like(mask)])
    return MaskedExplanation(mask, growing)


LOW_BAND, HIGH_BAND = slice(LOW - 20, LOW + 21), slice(HIGH - 20, HIGH + 21)


@pytest.fixture
def scorer():
    return scorer_of(known_pair())


@pytest.fixture
def clip(scorer):
    return heard(scorer, event())


def scores(scorer, clip, explanation, c=0):
    return mask_rows(scorer, clip, {c: explanation}, CLASSES)


class TestOneBand:
    def test_what_claims_the_band_keeps_the_decision_and_takes_it_away(self, scorer, clip):
        rows = scores(scorer, clip, explanation_of(clip, LOW_BAND))
        assert rows["operator"].tolist() == [*OPERATORS] and list(rows) == [*MASKS]
        assert (rows["class"] == "low").all() and (rows["probability_before"] > 0.99).all()
        assert (rows["relative_drop"] < 0.01).all() and (rows["decided_in"] == 1).all()
        assert (rows["probability_drop"] > 0.9).all()
        # The tone is kept from the first step on, and gone from the first step on.
        share = rows["energy_kept"].iloc[0]
        assert rows["insertion"].to_numpy() == pytest.approx(1 - share / 2, abs=0.01)
        assert rows["deletion"].to_numpy() == pytest.approx(share / 2, abs=0.01)

    def test_what_claims_another_band_does_neither(self, scorer, clip):
        rows = scores(scorer, clip, explanation_of(clip, HIGH_BAND))
        assert (rows["relative_drop"] > 0.9).all() and (rows["decided_in"] == 0).all()
        assert rows["probability_drop"].abs().max() < 0.01
        share = rows["energy_kept"].iloc[0]
        assert rows["insertion"].to_numpy() == pytest.approx((1 - share) / 2, abs=0.01)
        assert rows["deletion"].to_numpy() == pytest.approx((1 + share) / 2, abs=0.01)

    def test_of_a_class_that_gains_the_gain_is_told(self, scorer, clip):
        rows = scores(scorer, clip, explanation_of(clip, HIGH_BAND), c=1)
        assert (rows["increase"] == 1).all() and (rows["relative_gain"] > 0.9).all()
        assert (rows["relative_drop"] == 0).all() and (rows["probability_drop"] < 0.01).all()


class TestEnds:
    @pytest.mark.parametrize("operator", OPERATORS)
    def test_nothing_removed_is_the_clip_itself(self, scorer, clip, operator):
        nothing = torch.zeros(1, *clip.S.shape, dtype=torch.float64)
        logits = scorer.logits_without(clip, scorer.operators_for(clip)[operator], nothing)
        assert (logits[0] - clip.logits).abs().max() < 1e-3

    def test_the_fill_is_drawn_for_a_clip_by_its_name_and_the_seed(self, scorer, clip):
        everything = torch.ones(clip.S.shape, dtype=torch.float64)

        def fill(scorer, name):
            other = scorer.hear(name, clip.M, clip.waveform)
            return scorer.operators_for(other)["noise_fill"](clip.S, everything)

        first = fill(scorer, "a-clip")
        assert torch.equal(first, fill(scorer, "a-clip"))
        assert not torch.equal(first, fill(scorer, "another"))
        assert not torch.equal(first, fill(replace(scorer, seed=1), "a-clip"))

    def test_a_full_mask_keeps_the_probability_and_says_nothing(self, scorer, clip):
        rows = scores(scorer, clip, explanation_of(clip, slice(None)))
        assert (rows["probability_in"] - rows["probability_before"]).abs().max() < 1e-6
        assert (rows["sparseness"].abs() < 1e-9).all()
        assert rows["energy_kept"].to_numpy() == pytest.approx(1)  # threads add up in any order
        assert rows["complexity"].to_numpy() == pytest.approx(math.log(clip.S.numel()))

    def test_an_empty_mask_counts(self, scorer, clip):
        rows = scores(scorer, clip, explanation_of(clip, slice(0, 0)))
        assert (rows["empty"] == 1).all() and (rows["energy_kept"] == 0).all()
        assert rows["probability_drop"].abs().max() < 1e-6
        assert (rows["relative_drop"] > 0.9).all() and rows.notna().all(axis=None)

    def test_one_cell_is_as_sparse_as_can_be(self, scorer, clip):
        mask = torch.zeros(clip.S.shape)
        mask[3, 5] = 0.2
        rows = scores(scorer, clip, of_cells(clip.X, mask, n_steps=2))
        assert rows["sparseness"].to_numpy() == pytest.approx(1 - 1 / mask.numel())
        assert rows["complexity"].to_numpy() == pytest.approx(0, abs=1e-12)

    def test_a_silent_clip_has_numbers(self, scorer):
        clip = heard(scorer, torch.zeros(N_SAMPLES))
        rows = scores(scorer, clip, explanation_of(clip, LOW_BAND), c=1)
        assert rows.notna().all(axis=None) and (rows["energy_kept"] == 0).all()
        p = rows["probability_before"].to_numpy()
        assert (p > 0.9).all(), "silence is not low"
        assert rows["insertion"].to_numpy() == pytest.approx(p, abs=1e-6)


@pytest.mark.parametrize("half", [0.5, 0.2])
def test_soft_masks_are_held_to_the_energy_of_what_is_heard(clip, half):
    part = torch.full(clip.S.shape, half, dtype=torch.float64)
    growing = torch.stack([torch.zeros_like(part), part, torch.ones_like(part)])
    scorer = scorer_of(known_pair(), ["linear_magnitude"])
    (row,) = scores(scorer, clip, MaskedExplanation(part, growing)).itertuples()
    p, silence = row.probability_before, scorer.predict(heard(scorer, 0 * clip.waveform).M[None])
    p_0 = float(silence.double().softmax(-1)[0, 0])
    kept, left = half**2, (1 - half) ** 2  # shares of the energy
    by_insertion = kept * (p_0 + row.probability_in) + (1 - kept) * (row.probability_in + p)
    by_deletion = (1 - left) * (p + row.probability_out) + left * (row.probability_out + p_0)
    assert row.insertion == pytest.approx(by_insertion / 2, abs=1e-5)
    assert row.deletion == pytest.approx(by_deletion / 2, abs=1e-5)


class TestByHand:
    """Every column from its definition: one sound after the other, in loops."""

    @pytest.fixture
    def partial(self, clip, generator):
        """Cells between 0 and 1 that the tones stand out of, growing in four steps."""
        attribution = torch.rand(clip.S.shape, generator=generator) + clip.X.clamp(max=2).float()
        attribution[LOW_BAND] *= 0.8
        return of_cells(clip.X, attribution - 0.7, n_steps=4)

    def left_of(self, clip, operator, mask, noise):
        """What remains, cell by cell arithmetic on magnitude and phase."""
        S = clip.S.numpy()
        amount, phase, m = np.abs(S), np.exp(1j * np.angle(S)), mask.numpy()
        if operator == "log_magnitude":
            return np.expm1(np.log1p(amount) - m * np.log1p(amount)) * phase
        left = (1 - m) * amount * phase
        return left + m * noise if operator == "noise_fill" else left

    def test_each_number(self, scorer, clip, partial):
        rows = scores(scorer, clip, partial)
        noise = scorer.operators_for(clip)["noise_fill"](
            clip.S, torch.ones(clip.S.shape, dtype=torch.float64)
        ).numpy()

        def p_of(removed, operator):
            left = torch.from_numpy(self.left_of(clip, operator, removed, noise))
            x = FRONT_END.istft(left, N_SAMPLES).float()
            logits = scorer.predict(FRONT_END.log_mel(FRONT_END.stft(x))[None])
            return float(logits.double().softmax(-1)[0, 0]), int(logits.argmax())

        X, mask = clip.X, partial.mask
        p = float(clip.logits.double().softmax(-1)[0])
        total = float((X**2).sum())
        for row in rows.itertuples():
            (p_in, decided), (p_out, _) = (p_of(each, row.operator) for each in (1 - mask, mask))
            assert row.probability_in == pytest.approx(p_in, abs=1e-4)
            assert row.probability_out == pytest.approx(p_out, abs=1e-4)
            assert row.increase == (row.probability_in > row.probability_before)
            assert row.relative_drop == pytest.approx(max(0, p - p_in) / p, abs=1e-4)
            assert row.probability_drop == pytest.approx(p - p_out, abs=1e-4)
            assert row.decided_in == (decided == 0)
            assert row.energy_kept == pytest.approx(float(((mask * X) ** 2).sum()) / total)
            inserted = deleted = 0.0
            steps = [
                (
                    float(((step * X) ** 2).sum()) / total,
                    1 - float((((1 - step) * X) ** 2).sum()) / total,
                    *(p_of(each, row.operator)[0] for each in (1 - step, step)),
                )
                for step in partial.growing
            ]
            for before, after in zip(steps, steps[1:], strict=False):
                inserted += (after[0] - before[0]) * (before[2] + after[2]) / 2
                deleted += (after[1] - before[1]) * (before[3] + after[3]) / 2
            assert row.insertion == pytest.approx(inserted, abs=1e-4)
            assert row.deletion == pytest.approx(deleted, abs=1e-4)

    def test_what_is_heard_together_is_heard_as_each_alone(
        self, scorer, clip, partial, monkeypatch
    ):
        whole = scores(scorer, clip, partial)
        monkeypatch.setattr("l2i.evaluation.masked_scores.TOGETHER", 1)
        each = scores(scorer, clip, partial)
        pd.testing.assert_frame_equal(each, whole, rtol=1e-4, atol=1e-4)


class TestBesideTableV:
    def test_the_drop_under_the_papers_removal_is_that_of_faithfulness(self):
        pair, x = known_pair(), event()
        scorer = scorer_of(pair, ["log_magnitude"])
        clip = heard(scorer, x)
        explain = by_components(pair, threshold=0.1, n_steps=2)
        ours = mask_rows(scorer, clip, explain(clip, scorer.decided(clip)), CLASSES)
        removals = Removals([0.1], 0.1, 1, [], "mean", 0)
        explained, H = explain_clip(pair, "a-clip", clip.M[None])
        rows = faithfulness_rows(pair, explained, H, x, FRONT_END, removals, {0: 1}, CLASSES)
        theirs = rows[rows["removal"] == "relevant"]
        assert theirs["probability_drop"].iloc[0] > 0.9
        for column in ("probability_before", "probability_drop"):
            assert ours[column].to_numpy() == pytest.approx(theirs[column].to_numpy(), abs=1e-6)
        energy = theirs["energy_removed"].to_numpy()
        assert ours["energy_kept"].to_numpy() == pytest.approx(energy, rel=1e-5)


class TestSeveralLabels:
    def test_every_class_that_is_decided_for_is_explained_by_itself(self):
        pair = known_pair(multi_label=True)
        pair.classifier.thresholds.copy_(torch.tensor([0.5, 0.5, 0.0]))
        scorer = scorer_of(pair, ["linear_magnitude"])
        clip = heard(scorer, event())
        assert scorer.decided(clip) == [0, 2]
        explanations = by_components(pair, threshold=0.1, n_steps=2)(clip, [0, 2])
        rows = mask_rows(scorer, clip, explanations, CLASSES)
        assert rows["class"].tolist() == ["low", "never"]
        assert rows["decided_in"].tolist() == [1, 1] and rows["empty"].tolist() == [0, 1]
