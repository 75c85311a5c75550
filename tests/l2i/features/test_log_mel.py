"""l2i.features.log_mel: the front end of networks that bring their own."""

import librosa
import numpy as np
import pytest
import torch

from l2i.checks import InputError
from l2i.features.log_mel import LogMel

FRONT_END = LogMel(sample_rate=22050, n_fft=4096, hop_length=1024, n_mels=128)


@pytest.mark.parametrize(("seconds", "n_frames"), [(5, 104), (10, 212), (2, 40)])
def test_clips_have_the_frames_that_fit_without_padding(seconds, n_frames):
    assert FRONT_END(torch.zeros(1, seconds * 44100), 44100).shape == (1, n_frames, 128)


def test_it_is_librosa_s_htk_mel_power_in_decibels(generator):
    x = torch.rand(1, 22050, generator=generator) - 0.5
    power = librosa.feature.melspectrogram(
        y=x[0].numpy(), sr=22050, n_fft=4096, hop_length=1024, center=False, htk=True
    )
    expected = librosa.power_to_db(power).T
    np.testing.assert_allclose(FRONT_END(x, 22050)[0].numpy(), expected, atol=2e-3)


def test_filters_are_librosa_s():
    expected = librosa.filters.mel(sr=22050, n_fft=4096, n_mels=128, htk=True, dtype=np.float64)
    np.testing.assert_allclose(FRONT_END.filters.numpy().T, expected, atol=1e-12)


@pytest.mark.parametrize("frequency", [440.0, 3000.0])
def test_a_tone_survives_resampling_in_its_band(frequency):
    x = torch.sin(2 * torch.pi * frequency * torch.arange(44100) / 44100)[None]
    band = FRONT_END(x, 44100).mean(1).argmax().item()
    centres = librosa.mel_frequencies(130, fmax=11025, htk=True)[1:-1]
    assert band == np.abs(centres - frequency).argmin()


def test_a_clip_does_not_depend_on_its_batch(generator):
    x = torch.rand(3, 9000, generator=generator) * torch.tensor([[1.0], [0.01], [0.0]])
    alone = torch.cat([FRONT_END(clip[None], 22050) for clip in x])
    torch.testing.assert_close(FRONT_END(x, 22050), alone)
    assert torch.equal(alone[2], torch.full_like(alone[2], -100.0))  # silence is finite


def test_waveforms_shorter_than_a_window_are_refused():
    with pytest.raises(InputError, match="shorter than a window.*n_fft: 4096.*clip_seconds"):
        FRONT_END(torch.zeros(1, 8000), 44100)
