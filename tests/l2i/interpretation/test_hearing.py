"""l2i.interpretation.hearing: what a predictor says of sounds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from helpers.known_networks import FRONT_END, RATE, known_pair, tones
from l2i.interpretation.hearing import FAINTEST, TOGETHER, Hearing, as_heard

HEARING = Hearing(FRONT_END, "absolute", 1.6)


@pytest.fixture
def predict():
    pair = known_pair()
    return lambda M: pair.classifier.probabilities(pair.predict(M))


def sound(seconds=1.6, **amplitudes):
    return tones(round(seconds * RATE), **amplitudes).numpy()


def heard(predict, sounds, hearing=HEARING, peak=1.0):
    return as_heard(predict, sounds, hearing, peak=peak, device="cpu")


class TestAsHeard:
    def test_a_sound_is_told_by_what_is_in_it(self, predict):
        said = heard(predict, {"low": sound(high=0.0), "high": sound(low=0.0)})
        assert [*said] == ["low", "high"]
        assert said["low"][0] > 0.99 and said["high"][0] < 0.01

    def test_it_is_scaled_as_clips_are(self, predict):
        faint = {"faint": 0.001 * sound(high=0.0)}
        assert heard(predict, faint)["faint"][0] > 0.99
        as_it_is = Hearing(FRONT_END, "none", 1.6)
        assert heard(predict, faint, as_it_is)["faint"][0] < 0.01

    def test_it_is_cut_and_padded_as_clips_are(self, predict):
        late = np.concatenate([sound(low=0.0), sound(high=0.0)])
        short = sound(0.8, high=0.0)
        said = heard(predict, {"late": late, "short": short})
        assert said["late"][0] < 0.01, "the low tone comes after what is decided on"
        M = HEARING.log_mel(torch.from_numpy(HEARING.scaled(short)))
        assert M.shape == (FRONT_END.n_frames(HEARING.n_samples), 128)
        assert torch.allclose(said["short"], predict(M[None])[0])

    def test_what_is_silent_or_rounding_is_not_heard(self, predict):
        silent = np.zeros(RATE, np.float32)
        said = heard(predict, {"silent": silent, "low": sound(high=0.0)})
        assert said["silent"] is None and said["low"] is not None
        rounding = {"rounding": 0.9 * FAINTEST * sound(high=0.0) / 0.5}
        assert heard(predict, rounding)["rounding"] is None
        assert heard(predict, rounding, peak=0.01)["rounding"] is not None

    def test_many_are_heard_a_few_at_a_time_and_alike(self, predict):
        sizes = []

        def counting(M):
            sizes.append(len(M))
            return predict(M)

        sounds = {str(i): sound(low=0.1 * i) for i in range(TOGETHER + 3)}
        together = heard(counting, sounds)
        assert sizes == [TOGETHER, 3]
        for name, x in sounds.items():
            alone = heard(predict, {name: x})[name]
            assert torch.allclose(alone, together[name], atol=1e-6)

    def test_none_are_heard_where_there_are_none(self, predict):
        assert heard(predict, {}) == {}
