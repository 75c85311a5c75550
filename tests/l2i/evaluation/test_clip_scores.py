"""Scores, removals and synthesis on networks whose answers are known."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.evaluation.clip_scores import classification_rows, fidelity_rows, tagging_rows
from l2i.evaluation.removals import (
    ExplainedClip,
    Removals,
    explain_clip,
    faithfulness_rows,
    n_random,
)
from l2i.features.spectral import FrontEnd
from l2i.interpretation.explained import ExplainedClassifier
from l2i.interpretation.listening import level_dbfs
from l2i.interpretation.synthesis import synthesise
from l2i.metrics import rank_of
from l2i.networks.classifier import Classifier
from l2i.networks.interpreter import Interpretation
from l2i.networks.stored_classifier import frozen

RATE = 44_100
FRONT_END = FrontEnd(sample_rate=RATE, n_fft=1024, hop_length=512, n_mels=128, mel_power=1)
LOW, HIGH = 40, 300  # bins of two tones
REMOVALS = Removals(
    thresholds=[0.9, 0.1],
    random_threshold=0.1,
    n_draws=2,
    baselines=["unselected", "all", "energy"],
    n_removed="mean",
    seed=0,
)


def followed(pair, M):
    logits, interpretation = pair.explain(M, M.shape[1])
    return fidelity_rows(pair.classifier, logits, interpretation.logits, CLASSES)


def tones(n_samples, low=0.5, high=0.5):
    t = torch.arange(n_samples) / RATE
    hertz = RATE / 1024
    return low * torch.sin(2 * torch.pi * LOW * hertz * t) + high * torch.sin(
        2 * torch.pi * HIGH * hertz * t
    )


CLASSES = ["low", "not low", "never"]


class Listener(Classifier):
    """A classifier that is sure of class 0 as long as the low tone is there."""

    def __init__(self, multi_label=False):
        super().__init__(3, width=0.05, head_units=2, multi_label=multi_label)

    def forward(self, M):
        low = M[:, 20:-20, 44:54].amax((1, 2))
        logit = (low + 20).clamp(-20, 20)  # the tone stands at about 0 dB, its absence below -35
        return torch.stack([logit, -logit, -25 + 0 * logit], dim=1)

    def hidden_maps(self, M, taps):
        return self(M), {"n_clips": len(M)}


class Oracle(torch.nn.Module):
    """An interpreter that knows: component 0 is the low tone, 1 the high one, 2 what is left."""

    def __init__(self):
        super().__init__()
        W = torch.zeros(513, 4)
        W[LOW - 20 : LOW + 21, 0] = 1
        W[HIGH - 20 : HIGH + 21, 1] = 1
        W[:, 2] = 1e-6
        W[450:, 3] = 1e-3
        self.architecture = {"taps": ["B6"]}
        self.register_buffer("W", W / W.norm(dim=0))
        self.linear = torch.nn.Linear(4, 3, bias=False)
        self.linear.weight.data = torch.tensor(
            [[1.0, 0.05, 0.0, 0.0], [-1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]
        )

    def forward(self, hidden, n_frames):
        H = torch.ones(hidden["n_clips"], 4, n_frames)
        H[:, 2:] = 0.01
        z = H.mean(2)
        return Interpretation(H, z, self.linear(z))

    def contributions(self, z):
        return z[:, None] * self.linear.weight

    def reconstruct(self, H):
        return self.W @ H


@pytest.fixture
def pair():
    return ExplainedClassifier(Listener(), Oracle().requires_grad_(False))


@pytest.fixture
def tagging_pair():
    """The same, deciding for each class by itself."""
    return ExplainedClassifier(Listener(multi_label=True), Oracle().requires_grad_(False))


def explain(pair, waveform):
    M = FRONT_END.log_mel(FRONT_END.stft(waveform))[None]
    return explain_clip(pair, "a-clip", M)


def with_relevance(explained, r):
    return ExplainedClip(explained.name, explained.logits, dict.fromkeys(explained.relevances, r))


def faithfulness(pair, waveform, explained=None, removals=REMOVALS, n_removed=1):
    clip, H = explain(pair, waveform)
    clip = explained or clip
    sizes = dict.fromkeys(range(3), n_removed)
    return faithfulness_rows(pair, clip, H, waveform, FRONT_END, removals, sizes, CLASSES)


class TestRank:
    def test_it_counts_the_better_classes(self):
        scores = torch.tensor([[0.1, 0.7, 0.2]] * 3)
        assert rank_of(scores, torch.tensor([0, 1, 2])).tolist() == [3, 1, 2]

    def test_a_perfect_copy_always_ranks_first_and_a_constant_one_by_chance(self, rng):
        scores = torch.randn(300, 10, generator=rng)
        assert (rank_of(scores, scores.argmax(1)) == 1).all()
        constant = rank_of(torch.zeros(300, 10), scores.argmax(1))
        assert (constant == 1).float().mean().item() == pytest.approx(0.1, abs=0.06)

    def test_ties_go_to_the_lower_class(self):
        assert rank_of(torch.zeros(3, 3), torch.tensor([0, 1, 2])).tolist() == [1, 2, 3]

    def test_it_agrees_with_topk(self, rng):
        scores = torch.randn(50, 8, generator=rng)
        reference = torch.randint(8, (50,), generator=rng)
        for k in (1, 3, 5):
            by_topk = (scores.topk(k).indices == reference[:, None]).any(1)
            assert_close(rank_of(scores, reference) <= k, by_topk)

    def test_scores_that_are_no_numbers_rank_last(self):
        scores = torch.full((1, 3), float("nan"))
        assert rank_of(scores, torch.tensor([1])).item() > 3

    def test_references_of_another_length_are_refused(self):
        with pytest.raises(InputError, match=r"reference must have shape \(2\), got \(3,\)"):
            rank_of(torch.zeros(2, 3), torch.zeros(3, dtype=torch.int64))


class TestRowsPerClip:
    def test_classification_rows_say_who_was_right(self):
        logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
        rows = classification_rows(logits, torch.tensor([0, 0]))
        assert rows["correct"].tolist() == [1, 0]
        assert rows["probability"][0] == pytest.approx(np.exp(2) / (np.exp(2) + 1))
        assert rows["cross_entropy"][1] == pytest.approx(np.log(1 + np.e))

    def test_fidelity_rows_of_the_oracle(self, pair):
        x = torch.stack([tones(80_000), tones(80_000, low=0.0)])
        S = FRONT_END.stft(x)
        rows = followed(pair, FRONT_END.log_mel(S))
        assert rows["classifier_class"].tolist() == [0, 1]
        assert rows["interpreter_class"].tolist() == [0, 0]
        assert rows["rank"].tolist() == [1, 3]

    def test_tagging_rows_hold_every_class_and_leave_unobserved_labels_empty(self):
        classifier = Listener(multi_label=True)
        classifier.thresholds.copy_(torch.tensor([0.9, 0.5, 0.5]))
        logits = torch.tensor([[1.0, 1.0, -1.0]])
        targets = torch.tensor([[1.0, 0.0, float("nan")]])
        decisions = classifier.decisions(logits)
        (row,) = tagging_rows(logits, decisions, targets, CLASSES).to_dict("records")
        assert (row["label_low"], row["label_not low"]) == (1, 0)
        assert np.isnan(row["label_never"])
        assert row["probability_low"] == pytest.approx(1 / (1 + np.exp(-1)))
        assert [row[f"decided_{name}"] for name in CLASSES] == [0, 1, 0]

    def test_tagging_fidelity_rows_of_the_oracle(self, tagging_pair):
        x = torch.stack([tones(80_000), tones(80_000, low=0.0)])
        S = FRONT_END.stft(x)
        rows = followed(tagging_pair, FRONT_END.log_mel(S))
        assert rows["decided_low"].tolist() == [1, 0]
        assert rows["classifier_low"][0] > 0.99 and rows["classifier_low"][1] < 0.01
        assert (rows["interpreter_low"] > 0.7).all()  # z_1 w_1 + z_2 w_2 = 1.05
        assert "rank" not in rows


class TestFaithfulness:
    def test_removing_the_tone_the_decision_rests_on_takes_the_decision_away(self, pair):
        rows = faithfulness(pair, tones(80_000))
        relevant = rows[rows["removal"] == "relevant"]
        assert relevant["n_removed"].tolist() == [1, 1]
        assert set(rows["class"]) == {"low"}
        assert (relevant["probability_drop"] > 0.9).all()
        assert (relevant["logit_drop"] > 5).all()

    def test_removing_other_components_does_not(self, pair):
        rows = faithfulness(pair, tones(80_000))
        others = rows[rows["removal"] == "random_unselected"]
        assert len(others) == 2
        assert others["probability_drop"].abs().max() < 0.01

    def test_before_minus_after_is_the_drop_and_shares_are_shares(self, pair):
        rows = faithfulness(pair, tones(80_000), n_removed=2)
        drop = rows["probability_before"] - rows["probability_after"]
        assert np.abs(drop - rows["probability_drop"]).max() < 1e-6
        assert rows["energy_removed"].between(0, 1).all()
        assert len(rows) == 2 + 3 * 2

    def test_every_class_that_is_decided_for_is_explained_by_itself(self, tagging_pair):
        tagging_pair.classifier.thresholds.copy_(torch.tensor([0.5, 0.5, 0.0]))
        rows = faithfulness(tagging_pair, tones(80_000))
        assert rows["class"].unique().tolist() == ["low", "never"]
        assert len(rows) == 2 * (2 + 3 * 2)
        tagging_pair.classifier.thresholds.fill_(1.0)
        assert not explain(tagging_pair, tones(80_000))[0].relevances

    def test_more_removals_than_are_heard_together_are_heard_all(self, pair, monkeypatch):
        whole = faithfulness(pair, tones(80_000))
        monkeypatch.setattr("l2i.evaluation.clip_scores.MASKS", 1)
        each = faithfulness(pair, tones(80_000))
        # Not to the bit: how sums are split over a batch is the processor's choice.
        pd.testing.assert_frame_equal(each, whole, rtol=1e-4, atol=1e-4)

    def test_an_empty_selection_changes_nothing(self, pair):
        clip, _ = explain(pair, tones(80_000))
        nothing = with_relevance(clip, -torch.ones(4))
        rows = faithfulness(pair, tones(80_000), nothing)
        relevant = rows[rows["removal"] == "relevant"]
        assert relevant["n_removed"].tolist() == [0, 0]
        assert relevant["probability_drop"].abs().max() < 1e-4

    def test_the_quieter_rest_is_heard_as_it_is_not_scaled_up_again(self, pair):
        rows = faithfulness(pair, tones(80_000, low=0.9, high=1e-4))
        # Scaled to full level, what is left around the tone would count as the tone.
        assert rows["probability_drop"].iloc[0] > 0.9

    def test_a_clip_that_ends_between_two_hops_leaves_no_click(self, pair):
        heard = []

        class Recorder(Listener):
            def forward(self, M):
                heard.append(M)
                return super().forward(M)

        recording = ExplainedClassifier(Recorder(), pair.interpreter)
        faithfulness(recording, tones(512 * 150 + 511))
        loudest_by_frame = heard[-1].amax(2)  # of each removal, over mel bands
        assert (loudest_by_frame[:, -1] < loudest_by_frame[:, :-2].amax(1) + 6).all()

    def test_draws_are_those_of_the_clips_name_and_of_the_baseline(self, pair):
        x = tones(80_000)
        clip, _ = explain(pair, x)
        other = ExplainedClip("another", clip.logits, clip.relevances)
        many = Removals(**{**vars(REMOVALS), "n_draws": 12})

        def energies(explained, baseline):
            rows = faithfulness(pair, x, explained, removals=many)
            return rows[rows["removal"] == f"random_{baseline}"]["energy_removed"].tolist()

        assert energies(clip, "unselected") == energies(clip, "unselected")
        assert energies(clip, "unselected") != energies(other, "unselected")

    def test_the_random_count_is_the_rounded_mean_and_at_least_one(self, pair):
        clip, _ = explain(pair, tones(80_000))
        two = with_relevance(clip, torch.tensor([1.0, 0.5, 0.4, -1.0]))
        none = with_relevance(clip, -torch.ones(4))
        assert n_random([clip, two, two], REMOVALS, per_class=False) == {0: 2}  # (1 + 3 + 3) / 3
        assert n_random([none], REMOVALS, per_class=False) == {0: 1}
        fixed = Removals(**{**vars(REMOVALS), "n_removed": 7})
        assert n_random([clip], fixed, per_class=False) == {0: 7}

    def test_where_clips_have_several_classes_each_has_its_own_random_count(self):
        three, one = torch.tensor([1.0, 0.5, 0.4]), torch.tensor([1.0, 0.0, 0.0])
        clips = [ExplainedClip("a", one, {0: three, 2: one}), ExplainedClip("b", one, {2: one})]
        assert n_random(clips, REMOVALS, per_class=True) == {0: 3, 2: 1}
        assert n_random(clips, REMOVALS, per_class=False) == {0: 2, 2: 2}  # (3 + 1 + 1) / 3

    def test_relevance_can_be_pooled_by_maximum(self, pair):
        H = torch.zeros(1, 4, 10)
        H[0, 1, 3] = 100.0
        interpretation = Interpretation(H, torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.zeros(1, 3))
        by_max = ExplainedClassifier(pair.classifier, pair.interpreter, relevance_pooling="max")
        assert pair.relevances(interpretation)[0, 0].argmax() == 0
        assert by_max.relevances(interpretation)[0, 0].argmax() == 1


class TestListening:
    @pytest.mark.parametrize("n_samples", [30_000, 80_123, 88_200, 5 * RATE + 511])
    def test_sounds_have_the_length_of_the_clip_whatever_it_is(self, pair, n_samples):
        heard = synthesise(pair, tones(n_samples), FRONT_END, threshold=0.1)
        sounds = [heard.interpretation, heard.remainder, *heard.components.values()]
        assert {len(sound) for sound in sounds} == {n_samples}
        assert all(sound.abs().max() < 1.5 for sound in sounds)  # no click at the end

    def test_the_interpretation_is_the_low_tone_and_the_remainder_the_high_one(self, pair):
        heard = synthesise(pair, tones(80_000), FRONT_END, threshold=0.1)
        assert list(heard.components) == [0]

        def levels(sound):
            S = FRONT_END.stft(sound).abs()[:, 20:-20].mean(1)
            return 20 * torch.log10(S[LOW] / S[HIGH])

        assert levels(heard.interpretation) > 40
        assert levels(heard.remainder) < -40

    def test_components_come_most_relevant_first(self, pair):
        heard = synthesise(pair, tones(80_000), FRONT_END, threshold=0.01)
        assert list(heard.components) == [0, 1]

    def test_the_decision_can_rest_on_a_part_of_what_is_heard(self, pair):
        x = torch.cat([0.5 * tones(80_000, low=0.0), tones(80_000)])
        on_all = synthesise(pair, x, FRONT_END, threshold=0.1)
        on_start = synthesise(pair, x, FRONT_END, threshold=0.1, n_decided=70_000)
        assert (on_all.target, on_start.target) == (0, 1)
        assert len(on_start.interpretation) == len(x)
        padded = synthesise(pair, tones(70_000), FRONT_END, threshold=0.1, n_decided=80_000)
        assert padded.target == 0 and len(padded.remainder) == 70_000

    def test_another_class_can_be_interpreted(self, pair):
        heard = synthesise(pair, tones(80_000), FRONT_END, threshold=0.1, target=1)
        assert heard.target == 1 and not heard.components
        assert heard.interpretation.abs().max() < 1e-6

    def test_levels_are_in_decibel_re_full_scale(self):
        assert level_dbfs(torch.full((10,), 0.1)) == pytest.approx(-20)
        assert level_dbfs(np.zeros(10)) is None


def test_frozen_networks_take_no_gradients():
    network = frozen(Classifier(3, width=0.125), "cpu")
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
