"""l2i.interpretation.component_sounds: what is heard of one component, and where."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from l2i.features.spectral import FrontEnd, log_magnitude
from l2i.interpretation.component_sounds import (
    STEADY_PEAK,
    STEADY_SECONDS,
    hear,
    sound_of,
    steady_sound,
)

FRONT_END = FrontEnd(sample_rate=8000, n_fft=256, hop_length=128, n_mels=32, mel_power=1)
RATE, HOP = FRONT_END.sample_rate, FRONT_END.hop_length
LOW, HIGH = 16, 64  # bins: 500 Hz and 2 kHz
W = torch.full((FRONT_END.n_bins, 2), 1e-6)  # component 0 is all below 1 kHz, 1 all above
W[:32, 0], W[32:, 1] = 1.0, 1.0


def tone(bin, seconds, *, since=0.0, until=math.inf):
    t = torch.arange(round(seconds * RATE)) / RATE
    x = 0.3 * torch.sin(2 * math.pi * bin * RATE / FRONT_END.n_fft * t)
    return x * ((t >= since) & (t < until))


def heard(waveform):
    """The clip as an interpreter hears it whose components are always equally active."""

    def explain(M, n_frames):
        assert M.shape[1] == n_frames
        return None, SimpleNamespace(H=torch.ones(1, 2, n_frames))

    networks = SimpleNamespace(explain=explain, interpreter=SimpleNamespace(W=W))
    return hear(networks, waveform, FRONT_END)


def decibel(residual, reference):
    return 10 * math.log10(float(residual.square().sum() / reference.square().sum()))


class TestAlone:
    def test_it_is_what_its_mask_leaves_of_the_clip(self):
        low, high = tone(LOW, 1.0), tone(HIGH, 1.0)
        clip = heard(low + high)
        for k, expected in enumerate([low, high]):
            found = sound_of(clip, k, seconds=2.0)
            inside = slice(HOP * 2, -HOP * 2)  # a tone that begins at once is wide there
            difference = found.component[inside] - expected[inside]
            assert decibel(difference, expected[inside]) < -40
            assert found.mask[LOW].mean() == pytest.approx(1 - k, abs=1e-3)
            assert found.start_seconds == 0 and torch.equal(found.clip, low + high)

    def test_the_stretch_is_the_one_in_which_it_is_loudest(self):
        clip = heard(tone(LOW, 6.0, since=1.0, until=2.0) + tone(HIGH, 6.0, since=4.0, until=5.0))
        for k, begin in enumerate([1.0, 4.0]):
            found = sound_of(clip, k, seconds=1.0)
            assert found.start_seconds == pytest.approx(begin, abs=0.05)
            assert len(found.clip) == len(found.component) == RATE
            assert found.mask.shape == (FRONT_END.n_bins, 1 + RATE // HOP)
            assert len(found.activation) == found.mask.shape[1]
            kept = clip.waveform[round(found.start_seconds * RATE) :][:RATE]
            assert torch.equal(found.clip, kept)

    def test_a_stretch_at_the_end_stays_within_the_clip(self):
        found = sound_of(heard(tone(LOW, 3.03, since=2.9)), 0, seconds=1.0)
        assert found.start_seconds == pytest.approx(2.03, abs=HOP / RATE)
        assert len(found.component) == RATE

    @pytest.mark.parametrize("seconds", [0.3, 1.0])
    def test_a_short_clip_is_heard_whole(self, seconds):
        x = tone(LOW, seconds)
        found = sound_of(heard(x), 0, seconds=3.0)
        assert len(found.component) == len(x) and found.start_seconds == 0

    def test_silence_stays_silent(self):
        found = sound_of(heard(torch.zeros(RATE)), 0, seconds=1.0)
        assert not found.component.any() and found.mask.isfinite().all()


class TestColumn:
    def test_its_spectrum_is_the_column_and_it_is_steady(self):
        column = torch.zeros(FRONT_END.n_bins)
        column[LOW - 4 : LOW + 4], column[HIGH - 4 : HIGH + 4] = 0.4, 0.2
        x = steady_sound(column, FRONT_END, torch.Generator().manual_seed(0))
        assert len(x) == round(STEADY_SECONDS * RATE) and x.isfinite().all()
        X = log_magnitude(FRONT_END.stft(x))
        of_low, of_high = X[LOW - 2 : LOW + 2].mean(), X[HIGH - 2 : HIGH + 2].mean()
        assert float(of_low) == pytest.approx(math.log1p(STEADY_PEAK), rel=0.15)
        assert float(of_high / of_low) == pytest.approx(0.5, abs=0.1)
        assert X[100:].mean() < 0.1 * of_low
        first, last = x[: len(x) // 2].std(), x[len(x) // 2 :].std()
        assert float(first / last) == pytest.approx(1, abs=0.2)

    def test_the_same_generator_gives_the_same_sound(self):
        sounds = [
            steady_sound(W[:, 0], FRONT_END, torch.Generator().manual_seed(seed))
            for seed in (1, 1, 2)
        ]
        assert torch.equal(sounds[0], sounds[1]) and not torch.equal(sounds[0], sounds[2])

    def test_the_scale_of_a_column_means_nothing_and_zeros_are_silence(self):
        soft, loud = (
            steady_sound(scale * W[:, 0], FRONT_END, torch.Generator().manual_seed(0))
            for scale in (0.1, 10)
        )
        assert torch.allclose(soft, loud, atol=1e-5)
        nothing = steady_sound(0 * W[:, 0], FRONT_END, torch.Generator().manual_seed(0))
        assert not nothing.any()
