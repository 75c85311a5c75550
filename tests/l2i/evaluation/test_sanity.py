"""How alike two explanations are, and what becomes of measures with another network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from helpers.known_networks import FRONT_END, Listener, Oracle, known_pair, tones
from l2i.evaluation.agreement import agreement
from l2i.evaluation.removals import Removals, explain_clip, faithfulness_rows
from l2i.evaluation.sanity import explained_for, heard, sanity_rows
from l2i.interpretation.explained import ExplainedClassifier
from l2i.networks.interpreter import Interpretation

N_SAMPLES = 70_000  # no whole number of hops
VALUES = st.sampled_from([-1.0, -0.3, 0.0, 0.05, 0.1, 0.4, 1.0])
VECTORS = st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=12)


def alike(r, other, threshold=0.1):
    return agreement(np.array(r, float), np.array(other, float), threshold=threshold)


class TestAgreement:
    @pytest.mark.parametrize(
        ("r", "other", "correlation", "overlap", "top_same"),
        [
            ([1, 0.5, 0, -1], [1, 0.5, 0, -1], 1.0, 1.0, 1),
            ([1, 0.5, 0.2, 0], [0, 0.2, 0.5, 1], -1.0, 0.5, 0),
            ([1, 0.5, 0.2, 0], [0.4, 0.3, 0.2, 0], 1.0, 1.0, 1),  # the order alone counts
            ([1, 0.2, 0, 0], [1, 0, 0.2, 0], 0.5, 1 / 3, 1),
            ([1, 0.1, 0, 0], [1, 0.2, 0, 0], 1.0, 0.5, 1),  # above, and not at the threshold
            ([0, 0, 0], [0, 0, 0], 1.0, 1.0, 1),
            ([0, 0, 0], [1, 0.5, 0], 0.0, 0.0, 1),  # without order
            ([-1, -0.5, 0], [-0.5, -1, 0], 0.5, 1.0, 1),  # nothing selected on either side
        ],
    )
    def test_known_answers(self, r, other, correlation, overlap, top_same):
        found = alike(r, other)
        assert found["correlation"] == pytest.approx(correlation)
        assert found["overlap"] == pytest.approx(overlap) and found["top_same"] == top_same

    @given(VECTORS)
    def test_it_is_that_of_others_and_of_sets(self, pairs):
        r, other = map(list, zip(*pairs, strict=True))
        found = alike(r, other)
        if len(set(r)) > 1 and len(set(other)) > 1:
            assert found["correlation"] == pytest.approx(spearmanr(r, other).statistic, abs=1e-12)
        chosen, others = ({k for k, v in enumerate(each) if v > 0.1} for each in (r, other))
        union = chosen | others
        assert found["overlap"] == (len(chosen & others) / len(union) if union else 1)

    @given(VECTORS)
    def test_it_takes_no_side_and_is_whole_of_itself(self, pairs):
        r, other = map(list, zip(*pairs, strict=True))
        there, back = alike(r, other), alike(other, r)
        assert there == pytest.approx(back)
        assert alike(r, r) == {"correlation": 1.0, "overlap": 1.0, "top_same": 1.0}
        assert -1 - 1e-12 <= there["correlation"] <= 1 + 1e-12 and 0 <= there["overlap"] <= 1


class Turned(Listener):
    """The known classifier turned around: what spoke for a class now speaks against it."""

    def forward(self, M):
        return -super().forward(M)


class Follower(Oracle):
    """An interpreter whose activations are what its network hears: the loudest of two bands."""

    def forward(self, hidden, n_frames):
        H = torch.ones(hidden["n_clips"], 4, n_frames) * hidden["strength"][:, None, None]
        H = torch.stack([H[:, 0], 1 - H[:, 1], H[:, 2], H[:, 3]], dim=1)
        z = H.mean(2)
        return Interpretation(H, z, self.linear(z))


class Felt(Listener):
    """A classifier whose hidden maps say how strongly it hears."""

    def __init__(self, strength):
        super().__init__()
        self.strength = strength

    def hidden_maps(self, M, taps):
        return self(M), {"n_clips": len(M), "strength": torch.full((len(M),), self.strength)}


@pytest.fixture
def clips():
    waveforms = torch.stack([tones(N_SAMPLES), tones(N_SAMPLES, low=0.2, high=0.7)])
    return waveforms, FRONT_END.log_mel(FRONT_END.stft(waveforms))


def rows_of(explained, clips, intact=None):
    intact = explained if intact is None else intact
    waveforms, M = clips
    classes = intact.classifier(M).argmax(1)
    return sanity_rows(
        *(explained, M, [heard(waveform, FRONT_END) for waveform in waveforms]),
        *(explained_for(intact, M, classes), classes, FRONT_END),
        threshold=0.1,
    )


class TestRows:
    def test_the_intact_pair_agrees_with_itself_and_loses_what_the_measure_of_removals_says(
        self, clips
    ):
        pair = known_pair()
        rows = rows_of(pair, clips)
        assert rows[["correlation", "overlap", "top_same", "followed"]].eq(1).all(axis=None)
        removals = Removals([0.1], 0.1, 0, [], "mean", 0)
        for i, waveform in enumerate(clips[0]):
            clip, H = explain_clip(pair, "a", clips[1][i : i + 1])
            known = faithfulness_rows(
                pair, clip, H, waveform, FRONT_END, removals, {0: 1}, ["a", "b", "c"]
            ).iloc[1]
            assert rows["probability_drop"][i] == pytest.approx(known["probability_drop"], abs=1e-4)
            assert rows["n_selected"][i] == known["n_removed"] == 1
        assert (rows["probability_drop"] > 0.9).all()

    def test_a_network_that_the_interpreter_does_not_hear_leaves_its_relevances(self, clips):
        """Relevances are those for the intact decision; everything else is of the one at hand."""
        turned = ExplainedClassifier(Turned(), Oracle().requires_grad_(False))
        rows = rows_of(turned, clips, known_pair())
        assert rows[["correlation", "overlap", "top_same"]].eq(1).all(axis=None)
        assert rows["decided"].ne(0).all() and rows["followed"].eq(0).all()
        assert rows["n_selected"].eq(0).all()
        assert rows["probability_drop"].abs().max() < 1e-3

    def test_one_that_it_hears_changes_them(self, clips):
        intact, other = (
            ExplainedClassifier(Felt(strength), Follower().requires_grad_(False))
            for strength in (0.9, 0.0)
        )
        rows = rows_of(other, clips, intact)
        assert (rows["correlation"] < 1).all() and rows["overlap"].eq(0).all()
        assert rows["top_same"].eq(0).all()

    def test_clips_do_not_hang_on_their_company(self, clips):
        pair = known_pair()
        together = rows_of(pair, clips)
        alone = rows_of(pair, tuple(each[1:] for each in clips))
        assert alone.iloc[0].to_numpy(float) == pytest.approx(
            together.iloc[1].to_numpy(float), abs=1e-4
        )
