"""l2i.evaluation.removals: what decisions lose with components, where answers are known."""

import numpy as np
import pandas as pd
import pytest
import torch

from helpers.known_networks import CLASSES, FRONT_END, Listener, known_pair, tones
from l2i.evaluation.removals import (
    ExplainedClip,
    Removals,
    explain_clip,
    faithfulness_rows,
    n_random,
)
from l2i.interpretation.explained import ExplainedClassifier

REMOVALS = Removals(
    thresholds=[0.9, 0.1],
    random_threshold=0.1,
    n_draws=2,
    baselines=["unselected", "all", "energy"],
    n_removed="mean",
    seed=0,
)


@pytest.fixture
def pair():
    return known_pair()


@pytest.fixture
def tagging_pair():
    """The same, deciding for each class by itself."""
    return known_pair(multi_label=True)


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
        assert len(rows) == 1 + 2 + 3 * 2

    def test_every_class_that_is_decided_for_is_explained_by_itself(self, tagging_pair):
        tagging_pair.classifier.thresholds.copy_(torch.tensor([0.5, 0.5, 0.0]))
        rows = faithfulness(tagging_pair, tones(80_000))
        assert rows["class"].unique().tolist() == ["low", "never"]
        assert len(rows) == 2 * (1 + 2 + 3 * 2)
        tagging_pair.classifier.thresholds.fill_(1.0)
        assert not explain(tagging_pair, tones(80_000))[0].relevances

    def test_more_removals_than_are_heard_together_are_heard_all(self, pair, monkeypatch):
        whole = faithfulness(pair, tones(80_000))
        monkeypatch.setattr("l2i.evaluation.removals.MASKS", 1)
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
        assert rows[rows["removal"] == "relevant"]["probability_drop"].iloc[0] > 0.9

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

    def test_a_random_set_takes_away_as_much_energy_as_the_relevant_one(self, pair):
        def share(rows, removal):
            part = rows[(rows["removal"] == removal) & (rows["threshold"] == 0.1)]
            return part["energy_removed"].to_numpy(), part["matched"].to_numpy()

        rows = faithfulness(pair, tones(80_000))  # both tones are as loud
        (goal,), (matched,) = share(rows, "relevant")
        energies, each = share(rows, "random_energy")
        assert matched == 1 and (each == 1).all()
        assert energies == pytest.approx([goal, goal], rel=0.2)
        energies, each = share(rows, "random_unselected")
        assert (each == (np.abs(energies - goal) <= 0.2 * goal)).all()

    def test_a_clip_whose_other_components_are_too_quiet_is_not_called_matched(self, pair):
        rows = faithfulness(pair, tones(80_000, low=0.9, high=1e-4))
        energy = rows[rows["removal"] == "random_energy"]
        assert (energy["matched"] == 0).all() and len(energy) == 2

    def test_removed_energy_is_that_of_the_sum(self, pair):
        clip, H = explain(pair, tones(80_000))
        every = with_relevance(clip, torch.ones(4))
        rows = faithfulness(pair, tones(80_000), every)
        share = rows[rows["removal"] == "relevant"]["energy_removed"]
        assert share.to_numpy() == pytest.approx(1, abs=1e-3)

    def test_removing_nothing_is_heard_as_the_clip_itself(self, pair):
        heard = []

        class Recorder(Listener):
            def forward(self, M):
                heard.append(M)
                return super().forward(M)

        x = tones(512 * 150 + 100)
        recording = ExplainedClassifier(Recorder(), pair.interpreter)
        rows = faithfulness(recording, x)
        first = rows.iloc[0]
        assert (first["removal"], first["n_removed"], first["energy_removed"]) == ("nothing", 0, 0)
        assert np.isnan(first["threshold"]) and abs(first["probability_drop"]) < 1e-6
        M = FRONT_END.log_mel(FRONT_END.stft(x))
        # By way of float32 cells near the floor came back 0.3 dB off, of recordings 3.5 dB.
        assert (heard[-1][0] - M).abs().max() < 1e-3

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
