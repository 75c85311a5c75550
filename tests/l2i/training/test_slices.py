"""l2i.training.slices: what NMF classifiers see of a clip."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from l2i.checks import InputError
from l2i.features.spectral import FrontEnd, log_magnitude
from l2i.training.slices import compute_slices, slices_of

FRONT_END = FrontEnd(sample_rate=8000, n_fft=128, hop_length=64, n_mels=10, mel_power=2)


@pytest.fixture
def X(generator):
    return log_magnitude(FRONT_END.stft(torch.randn(5, 64 * 10, generator=generator)))


def test_slices_are_means_of_frames_and_the_last_may_have_fewer(X):
    x = slices_of(FRONT_END, "log_magnitude", 4)(X)
    assert x.shape == (5, 3, 65)  # of 11 frames
    assert_close(x[:, 1], X[:, :, 4:8].mean(2))
    assert_close(x[:, 2], X[:, :, 8:].mean(2))


@pytest.mark.parametrize("frames", [1, 11, 40])
def test_clips_of_any_length_fit(X, frames):
    slices = slices_of(FRONT_END, "log_magnitude", frames)
    assert slices(X).shape[1] == slices.n_slices(11) == -(-11 // frames)


def test_mel_bands_are_the_root_of_those_of_the_front_end(generator):
    S = FRONT_END.stft(torch.randn(2, 640, generator=generator))
    x = slices_of(FRONT_END, "sqrt_mel", 1)(log_magnitude(S))
    decibel = FRONT_END.log_mel(S)
    assert_close(20 * x.log10(), decibel, atol=1e-2, rtol=0)


@pytest.mark.parametrize("representation", ["log_magnitude", "sqrt_mel"])
def test_training_slices_have_norm_one_on_average_and_equal_those_of_any_clip(
    X, representation, tmp_path
):
    slices = slices_of(FRONT_END, representation, 4)
    rows = np.array([3, 0, 4])
    for _ in range(2):  # the second time from another level
        kept = compute_slices(slices, X.numpy(), rows, device="cpu", scratch=tmp_path)
    assert kept.data.norm(dim=2).mean() == pytest.approx(1.0, abs=1e-5)
    assert_close(kept.data, slices(X[rows]))


def test_loudness_changes_no_slice_of_the_mel_bands(X, tmp_path):
    rows = np.arange(5)
    loud = (X.expm1() * 3).log1p()
    kept = [
        compute_slices(
            slices_of(FRONT_END, "sqrt_mel", 4), a.numpy(), rows, device="cpu", scratch=tmp_path
        ).data
        for a in (X, loud)
    ]
    assert_close(*kept)


def test_silence_stays_silence(X, tmp_path):
    slices = slices_of(FRONT_END, "log_magnitude", 4)
    silent = torch.zeros_like(X).numpy()
    kept = compute_slices(slices, silent, np.arange(5), device="cpu", scratch=tmp_path)
    assert (kept.data == 0).all()


@pytest.mark.parametrize(
    ("representation", "frames", "message"),
    [("mel", 1, "representation is 'mel': set it to one of log_magnitude"), ("sqrt_mel", 0, "0")],
)
def test_settings_out_of_range_are_refused(representation, frames, message):
    with pytest.raises(InputError, match=message):
        slices_of(FRONT_END, representation, frames)
