"""l2i.features.spectral: physics of tones, agreement with librosa, and the way back."""

import librosa
import numpy as np
import pytest
import torch
from torch.testing import assert_close

from l2i.features.spectral import FrontEnd, log_magnitude, phase_of

RATE = 44_100


def front_end(mel_power=1):
    return FrontEnd(sample_rate=RATE, n_fft=1024, hop_length=512, n_mels=128, mel_power=mel_power)


def tone(hertz, seconds=1.0, dtype=torch.float64):
    return torch.sin(2 * torch.pi * hertz * torch.arange(round(seconds * RATE)) / RATE).to(dtype)


@pytest.fixture
def noisy(generator):
    """A tone in noise that fades out, (n_samples,) float64."""
    x = tone(880.0, 2.0) + 0.1 * torch.randn(2 * RATE, generator=generator, dtype=torch.float64)
    return x * torch.linspace(1, 0.001, 2 * RATE, dtype=torch.float64)


class TestPhysics:
    @pytest.mark.parametrize("n_bin", [10, 100, 400])
    def test_a_tone_on_a_bin_peaks_there_with_half_the_window_sum(self, n_bin):
        S = front_end().stft(tone(n_bin * RATE / 1024)).abs()
        middle = S[:, 20]
        assert middle.argmax() == n_bin
        assert middle[n_bin].item() == pytest.approx(1024 / 4, rel=1e-3)

    @pytest.mark.parametrize(("power", "slope"), [(1, 20 / 2), (2, 20)])
    def test_ten_times_the_amplitude_is_ten_decibels_a_power_of_the_magnitude(self, power, slope):
        fe = front_end(power)
        loud, quiet = (fe.log_mel(fe.stft(a * tone(1000.0))) for a in (1.0, 0.1))
        assert (loud.max() - quiet.max()).item() == pytest.approx(slope, abs=1e-6)

    def test_higher_tones_fill_higher_mel_bands(self):
        fe = front_end()
        bands = [int(fe.log_mel(fe.stft(tone(f)))[20].argmax()) for f in (200, 1000, 5000, 15_000)]
        assert bands == sorted(set(bands))

    @pytest.mark.parametrize(("n_samples", "n_frames"), [(220_500, 431), (441_000, 862)])
    def test_five_and_ten_seconds_have_the_frames_of_the_paper(self, n_samples, n_frames):
        fe = front_end()
        assert fe.n_frames(n_samples) == n_frames
        assert fe.stft(torch.zeros(n_samples)).shape == (513, n_frames)

    def test_dynamic_range_ends_80_decibels_below_the_clips_own_maximum(self, noisy):
        fe = front_end()
        M = fe.log_mel(fe.stft(torch.stack([noisy, 1e-3 * noisy, 0 * noisy])))
        reached = (M.amax((1, 2)) - M.amin((1, 2))).tolist()
        assert max(reached) <= 80 + 1e-9
        assert reached[2] == 0

    def test_features_do_not_depend_on_the_batch(self, noisy):
        fe = front_end()
        alone = fe.log_mel(fe.stft(1e-3 * noisy))
        together = fe.log_mel(fe.stft(torch.stack([noisy, 1e-3 * noisy])))[1]
        assert_close(alone, together)


class TestAgreementWithLibrosa:
    def reference(self, x, power):
        S = librosa.stft(x.numpy(), n_fft=1024, hop_length=512, pad_mode="reflect")
        filters = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=128, dtype=np.float64)
        mel = filters @ np.abs(S) ** power
        return np.abs(S), librosa.power_to_db(mel, ref=1.0, amin=1e-10, top_db=80.0).T

    @pytest.mark.parametrize("power", [1, 2])
    def test_float64_reference_path_within_1e_4_decibel_everywhere(self, noisy, power):
        fe = front_end(power)
        S = fe.stft(noisy)
        magnitude, decibel = self.reference(noisy, power)
        assert np.abs(log_magnitude(S).numpy() - np.log1p(magnitude)).max() < 1e-9
        assert np.abs(fe.log_mel(S).numpy() - decibel).max() < 1e-4

    @pytest.mark.parametrize(("power", "depth"), [(1, 40), (2, 70)])
    def test_float32_within_2e_3_decibel_above_its_noise_floor(self, noisy, power, depth):
        fe = front_end(power)
        S = fe.stft(noisy.float())
        magnitude, decibel = self.reference(noisy, power)
        assert np.abs(log_magnitude(S).numpy() - np.log1p(magnitude)).max() < 1e-4
        audible = decibel > decibel.max() - depth
        assert np.abs(fe.log_mel(S).numpy() - decibel)[audible].max() < 2e-3


class TestRoundTrip:
    @pytest.mark.parametrize("n_samples", [220_500, 88_200, 512 * 40])
    def test_inverse_gives_the_waveform_back_with_equal_length(self, generator, n_samples):
        fe = front_end()
        x = torch.rand(n_samples, generator=generator) * 2 - 1
        S = fe.stft(x)
        back = fe.inverse(log_magnitude(S), phase_of(S), n_samples)
        assert back.shape == x.shape
        assert (back - x).abs().max() < 1e-5

    def test_a_batch_shares_one_phase(self, noisy):
        fe = front_end()
        S = fe.stft(noisy)
        X = torch.stack([log_magnitude(S), 0 * log_magnitude(S)])
        back = fe.inverse(X, phase_of(S), len(noisy))
        assert_close(back[0], noisy)
        assert (back[1] == 0).all()

    def test_silence_has_no_phase(self):
        assert (phase_of(torch.zeros(3, 4, dtype=torch.complex64)) == 0).all()
