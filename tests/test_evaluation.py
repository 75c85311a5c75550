"""l2i.metrics, l2i.evaluation and l2i.synthesis on networks whose answers are known."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.classifier import Classifier
from l2i.evaluation import (
    Explained,
    Pair,
    Removals,
    classification_rows,
    faithfulness_rows,
    fidelity_rows,
    n_random,
)
from l2i.interpreter import Interpretation
from l2i.metrics import rank_of
from l2i.models import frozen
from l2i.spectral import FrontEnd, log_magnitude
from l2i.synthesis import level_dbfs, listen

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


def tones(n_samples, low=0.5, high=0.5):
    t = torch.arange(n_samples) / RATE
    hertz = RATE / 1024
    return low * torch.sin(2 * torch.pi * LOW * hertz * t) + high * torch.sin(
        2 * torch.pi * HIGH * hertz * t
    )


class Listener(torch.nn.Module):
    """A classifier that is sure of class 0 as long as the low tone is there."""

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

    def reconstruct(self, H):
        return self.W @ H


@pytest.fixture
def pair():
    return Pair(Listener(), Oracle().requires_grad_(False))


def explain(pair, waveform):
    M = FRONT_END.log_mel(FRONT_END.stft(waveform))[None]
    logits, interpretation = pair.explain(M, M.shape[1])
    target = logits.argmax(1)
    r = pair.relevance_to(interpretation, target)[0]
    return Explained("a-clip", int(target), logits[0], interpretation.H[0], r)


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
        rows = fidelity_rows(pair, FRONT_END.log_mel(S), log_magnitude(S))
        assert rows["classifier_class"].tolist() == [0, 1]
        assert rows["interpreter_class"].tolist() == [0, 0]
        assert rows["rank"].tolist() == [1, 3]
        assert (rows["reconstruction_loss"] > 0).all()


class TestFaithfulness:
    def test_removing_the_tone_the_decision_rests_on_takes_the_decision_away(self, pair):
        x = tones(80_000)
        clip = explain(pair, x)
        rows = faithfulness_rows(pair, clip, x, FRONT_END, REMOVALS, n_removed=1)
        relevant = rows[rows["removal"] == "relevant"]
        assert relevant["n_removed"].tolist() == [1, 1]
        assert (relevant["probability_drop"] > 0.9).all()
        assert (relevant["logit_drop"] > 5).all()

    def test_removing_other_components_does_not(self, pair):
        x = tones(80_000)
        rows = faithfulness_rows(pair, explain(pair, x), x, FRONT_END, REMOVALS, n_removed=1)
        others = rows[rows["removal"] == "random_unselected"]
        assert len(others) == 2
        assert others["probability_drop"].abs().max() < 0.01

    def test_before_minus_after_is_the_drop_and_shares_are_shares(self, pair):
        x = tones(80_000)
        rows = faithfulness_rows(pair, explain(pair, x), x, FRONT_END, REMOVALS, n_removed=2)
        drop = rows["probability_before"] - rows["probability_after"]
        assert np.abs(drop - rows["probability_drop"]).max() < 1e-9
        assert rows["energy_removed"].between(0, 1).all()
        assert len(rows) == 2 + 3 * 2

    def test_an_empty_selection_changes_nothing(self, pair):
        x = tones(80_000)
        clip = explain(pair, x)
        nothing = Explained(clip.clip, clip.target, clip.logits, clip.H, -clip.r.abs())
        rows = faithfulness_rows(pair, nothing, x, FRONT_END, REMOVALS, n_removed=1)
        relevant = rows[rows["removal"] == "relevant"]
        assert relevant["n_removed"].tolist() == [0, 0]
        assert relevant["probability_drop"].abs().max() < 1e-4

    def test_the_quieter_rest_is_heard_as_it_is_not_scaled_up_again(self, pair):
        x = tones(80_000, low=0.9, high=1e-4)
        rows = faithfulness_rows(pair, explain(pair, x), x, FRONT_END, REMOVALS, n_removed=1)
        # Scaled to full level, what is left around the tone would count as the tone.
        assert rows["probability_drop"].iloc[0] > 0.9

    def test_a_clip_that_ends_between_two_hops_leaves_no_click(self, pair):
        heard = []

        class Recorder(Listener):
            def forward(self, M):
                heard.append(M)
                return super().forward(M)

        recording = Pair(Recorder(), pair.interpreter)
        x = tones(512 * 150 + 511)
        clip = explain(recording, x)
        heard.clear()
        faithfulness_rows(recording, clip, x, FRONT_END, REMOVALS, n_removed=1)
        loudest_by_frame = heard[0].amax(2)  # of each removal, over mel bands
        assert (loudest_by_frame[:, -1] < loudest_by_frame[:, :-2].amax(1) + 6).all()

    def test_draws_are_those_of_the_clips_name_and_of_the_baseline(self, pair):
        x = tones(80_000)
        clip = explain(pair, x)
        other = Explained("another", clip.target, clip.logits, clip.H, clip.r)
        many = Removals(**{**vars(REMOVALS), "n_draws": 12})

        def energies(explained, baseline):
            rows = faithfulness_rows(pair, explained, x, FRONT_END, many, n_removed=1)
            return rows[rows["removal"] == f"random_{baseline}"]["energy_removed"].tolist()

        assert energies(clip, "unselected") == energies(clip, "unselected")
        assert energies(clip, "unselected") != energies(other, "unselected")

    def test_the_random_count_is_the_rounded_mean_and_at_least_one(self, pair):
        clip = explain(pair, tones(80_000))
        two = Explained("b", 0, clip.logits, clip.H, torch.tensor([1.0, 0.5, 0.4, -1.0]))
        none = Explained("c", 0, clip.logits, clip.H, -torch.ones(4))
        assert n_random([clip, two, two], REMOVALS) == 2  # (1 + 3 + 3) / 3
        assert n_random([none], REMOVALS) == 1
        fixed = Removals(**{**vars(REMOVALS), "n_removed": 7})
        assert n_random([clip], fixed) == 7

    def test_relevance_can_be_pooled_by_maximum(self, pair):
        H = torch.zeros(1, 4, 10)
        H[0, 1, 3] = 100.0
        interpretation = Interpretation(H, torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.zeros(1, 3))
        by_max = Pair(pair.classifier, pair.interpreter, relevance_pooling="max")
        target = torch.tensor([0])
        assert pair.relevance_to(interpretation, target)[0].argmax() == 0
        assert by_max.relevance_to(interpretation, target)[0].argmax() == 1


class TestListening:
    @pytest.mark.parametrize("n_samples", [30_000, 80_123, 88_200, 5 * RATE + 511])
    def test_sounds_have_the_length_of_the_clip_whatever_it_is(self, pair, n_samples):
        heard = listen(pair, tones(n_samples), FRONT_END, threshold=0.1)
        sounds = [heard.interpretation, heard.remainder, *heard.components.values()]
        assert {len(sound) for sound in sounds} == {n_samples}
        assert all(sound.abs().max() < 1.5 for sound in sounds)  # no click at the end

    def test_the_interpretation_is_the_low_tone_and_the_remainder_the_high_one(self, pair):
        heard = listen(pair, tones(80_000), FRONT_END, threshold=0.1)
        assert list(heard.components) == [0]

        def levels(sound):
            S = FRONT_END.stft(sound).abs()[:, 20:-20].mean(1)
            return 20 * torch.log10(S[LOW] / S[HIGH])

        assert levels(heard.interpretation) > 40
        assert levels(heard.remainder) < -40

    def test_components_come_most_relevant_first(self, pair):
        heard = listen(pair, tones(80_000), FRONT_END, threshold=0.01)
        assert list(heard.components) == [0, 1]

    def test_the_decision_can_rest_on_a_part_of_what_is_heard(self, pair):
        x = torch.cat([0.5 * tones(80_000, low=0.0), tones(80_000)])
        on_all = listen(pair, x, FRONT_END, threshold=0.1)
        on_start = listen(pair, x, FRONT_END, threshold=0.1, n_decided=70_000)
        assert (on_all.target, on_start.target) == (0, 1)
        assert len(on_start.interpretation) == len(x)
        padded = listen(pair, tones(70_000), FRONT_END, threshold=0.1, n_decided=80_000)
        assert padded.target == 0 and len(padded.remainder) == 70_000

    def test_another_class_can_be_interpreted(self, pair):
        heard = listen(pair, tones(80_000), FRONT_END, threshold=0.1, target=1)
        assert heard.target == 1 and not heard.components
        assert heard.interpretation.abs().max() < 1e-6

    def test_levels_are_in_decibel_re_full_scale(self):
        assert level_dbfs(torch.full((10,), 0.1)) == pytest.approx(-20)
        assert level_dbfs(np.zeros(10)) is None


def test_frozen_networks_take_no_gradients():
    network = frozen(Classifier(3, width=0.125), "cpu")
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
